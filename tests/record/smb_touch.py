"""Opens, writes and deletes a file with impacket, which others may be waiting for."""

from impacket.smb3structs import SMB2_DIALECT_21
from impacket.smbconnection import SMBConnection

connection = SMBConnection("127.0.0.1", "127.0.0.1", sess_port=445, preferredDialect=SMB2_DIALECT_21)
connection.login("alice", "Secret-1", "EXAMPLE")
tree = connection.connectTree("docs")
file = connection.createFile(tree, r"watched\touched.bin")
connection.writeFile(tree, file, b"x" * 700, offset=100)
connection.closeFile(tree, file)
connection.deleteFile("docs", r"watched\touched.bin")
connection.logoff()
