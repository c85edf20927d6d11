//! Runs work that may block, such as writing a file and waiting for the disk, away from the threads
//! that serve other runs.

use crate::failure::{Code, Failure};

/// A value for work that may block, one piece of work at a time.
///
/// Work that has begun is finished even if its future is dropped: a page is then written whole.
pub(crate) struct Blocking<T>(Option<T>);

impl<T: Send + 'static> Blocking<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The value, for work that does not block.
    ///
    /// # Errors
    /// `interrupted` if earlier work was not finished.
    #[cfg(feature = "files")]
    pub(crate) fn here(&mut self) -> Result<&mut T, Failure> {
        self.0.as_mut().ok_or_else(left)
    }

    /// Does the work with the value.
    ///
    /// # Errors
    /// `interrupted` if the runtime ends, or earlier work was not finished.
    pub(crate) async fn with<R>(
        &mut self,
        work: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Result<R, Failure>
    where
        R: Send + 'static,
    {
        let mut value = self.0.take().ok_or_else(left)?;
        let worked = tokio::task::spawn_blocking(move || {
            let result = work(&mut value);
            (value, result)
        });
        match worked.await {
            Ok((value, result)) => {
                self.0 = Some(value);
                Ok(result)
            }
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Failure::new(
                    Code::Interrupted,
                    "the run was ended while its output was written",
                )),
            },
        }
    }
}

fn left() -> Failure {
    Failure::new(Code::Interrupted, "the output was left in the middle of a page")
}
