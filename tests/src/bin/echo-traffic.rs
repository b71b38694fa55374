//! Makes traffic for the live tests: an echo server on port 7 of the loopback interface, and
//! connections to it, by name. One that is called `NAME@ADDRESS` goes to that address of it. One that is
//! called `NAME/udp` sends datagrams to port 9, which come back as well.
//!
//! Each line on standard input is an order, and is written to standard output when it has been
//! carried out: `NAME TEXT` sends TEXT on connection NAME, opening it first if need be, and waits
//! until it came back; `NAME` alone closes the connection. It ends with its input.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write, stdin};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", 7))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || echo(stream));
        }
    });
    let echo = UdpSocket::bind(("0.0.0.0", 9))?;
    thread::spawn(move || -> io::Result<()> {
        let mut buffer = [0; 1024];
        loop {
            let (length, from) = echo.recv_from(&mut buffer)?;
            echo.send_to(&buffer[..length], from)?;
        }
    });
    let mut connections: HashMap<String, BufReader<TcpStream>> = HashMap::new();
    let mut sockets: HashMap<String, UdpSocket> = HashMap::new();
    for order in stdin().lines() {
        let order = order?;
        match order.split_once(' ') {
            Some((name, text)) if name.ends_with("/udp") => {
                if !sockets.contains_key(name) {
                    let socket = UdpSocket::bind(("127.0.0.1", 0))?;
                    socket.connect(("127.0.0.1", 9))?;
                    sockets.insert(name.to_owned(), socket);
                }
                if let Some(socket) = sockets.get(name) {
                    socket.send(text.as_bytes())?;
                    socket.recv(&mut [0; 1024])?;
                }
            }
            Some((name, text)) => {
                if !connections.contains_key(name) {
                    let address = name.split_once('@').map_or("127.0.0.1", |(_, address)| address);
                    let stream = TcpStream::connect((address, 7))?;
                    connections.insert(name.to_owned(), BufReader::new(stream));
                }
                if let Some(connection) = connections.get_mut(name) {
                    say(connection, text)?;
                }
            }
            None => {
                if let Some(mut connection) = connections.remove(&order) {
                    connection.get_ref().shutdown(std::net::Shutdown::Write)?;
                    connection.read_to_end(&mut Vec::new())?;
                }
            }
        }
        println!("{order}");
    }
    Ok(())
}

fn echo(stream: TcpStream) -> io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        writer.write_all(&line)?;
        line.clear();
    }
    Ok(())
}

fn say(connection: &mut BufReader<TcpStream>, text: &str) -> io::Result<()> {
    let line = format!("{text}\n");
    connection.get_mut().write_all(line.as_bytes())?;
    let mut answer = String::new();
    connection.read_line(&mut answer)?;
    if answer == line { Ok(()) } else { Err(io::Error::other("the echo differs")) }
}
