//! One zstd frame.
//!
//! `ruzstd` decodes the blocks. Its own reader holds back as much as the frame's window until the
//! frame has ended, which for a frame that is cut short is never.

use std::io::{self, ErrorKind, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder, errors::FrameDecoderError};

/// The largest window that is granted, in bytes (128 MiB, what `zstd` itself grants).
pub(super) const MAX_WINDOW: u64 = 128 << 20;

/// A frame that is sound, but not for us.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("its window is too large")]
    Window,
    #[error("it needs a dictionary")]
    Dictionary,
}

/// Decodes the frame whose magic number comes next, and reads nothing behind it.
pub(super) struct Decoder<R> {
    input: R,
    frame: FrameDecoder,
    started: bool,
    /// What stopped the decoding; told when all that was decoded before it is read.
    error: Option<io::Error>,
}

impl<R: Read> Decoder<R> {
    pub(super) fn new(input: R) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(MAX_WINDOW);
        Self { input, frame, started: false, error: None }
    }

    pub(super) fn get_ref(&self) -> &R {
        &self.input
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    fn advance(&mut self) -> Result<(), FrameDecoderError> {
        if self.started {
            self.frame.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))?;
        } else {
            self.frame.init(&mut self.input)?;
            self.started = true;
        }
        Ok(())
    }

    /// Ends a frame that cannot be decoded further with an empty last block and any checksum, so that
    /// the decoder gives away what it keeps for blocks to come.
    fn give_up(&mut self, error: io::Error) {
        const LAST_BLOCK: [u8; 3] = [1, 0, 0];
        const CHECKSUM: [u8; 4] = [0; 4];
        if self.started && !self.frame.is_finished() {
            let end = [&LAST_BLOCK[..], &CHECKSUM].concat();
            // Should it refuse, less can be read of a frame that is broken anyway.
            _ = self.frame.decode_blocks(&end[..], BlockDecodingStrategy::UptoBlocks(1));
        }
        self.error = Some(error);
    }

    fn checksum(&self) -> io::Result<()> {
        match (self.frame.get_checksum_from_data(), self.frame.get_calculated_checksum()) {
            (Some(stored), calculated) if calculated != Some(stored) => {
                Err(io::Error::new(ErrorKind::InvalidData, "the checksum does not match"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.frame.can_collect() == 0 {
            if let Some(error) = self.error.take() {
                return Err(error);
            }
            if self.started && self.frame.is_finished() {
                return self.checksum().map(|()| 0);
            }
            if let Err(error) = self.advance() {
                self.give_up(explain(error));
            }
        }
        self.frame.read(buf)
    }
}

/// Finds the input's end, which the decoder's errors have somewhere among their sources.
fn explain(error: FrameDecoderError) -> io::Error {
    match error {
        FrameDecoderError::WindowSizeTooBig { .. } => return io::Error::other(Refused::Window),
        FrameDecoderError::DictNotProvided { .. } => return io::Error::other(Refused::Dictionary),
        _ => {}
    }
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return io::Error::new(io.kind(), io.to_string());
        }
        source = cause.source();
    }
    io::Error::new(ErrorKind::InvalidData, error.to_string())
}
