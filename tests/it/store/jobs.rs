//! Jobs that report their outcome to the test.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use doorstep::office::store::{Store, StoreError, WriteJob, Writes};

/// A job that says when it is answered.
pub(crate) struct Told<F> {
    work: F,
    answer: Sender<Result<(), StoreError>>,
}

impl<F> Told<F>
where
    F: FnMut(&mut dyn Writes) -> Result<(), StoreError> + Send + 'static,
{
    pub(crate) fn send(store: &Arc<dyn Store>, work: F) -> Receiver<Result<(), StoreError>> {
        let (answer, answered) = channel();
        store.submit(Box::new(Self { work, answer })).unwrap();
        answered
    }
}

impl<F: FnMut(&mut dyn Writes) -> Result<(), StoreError> + Send> WriteJob for Told<F> {
    fn run(&mut self, tx: &mut dyn Writes) -> Result<(), StoreError> {
        (self.work)(tx)
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        // A test that is not interested has dropped its end.
        drop(self.answer.send(outcome));
    }
}

/// A job that keeps the writer busy until it is pulled, so that others queue up behind it.
pub(crate) struct Plug(Sender<()>);

impl Plug {
    pub(crate) fn into(store: &Arc<dyn Store>) -> Self {
        let (pull, wait) = channel::<()>();
        drop(Told::send(store, move |_| wait.recv().map_err(|_| StoreError::Closed)));
        Self(pull)
    }

    pub(crate) fn pull(self) {
        self.0.send(()).unwrap();
    }
}
