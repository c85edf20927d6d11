//! Runs the same work for many items on all cores. The results are in the order of the items.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;

/// Most threads: with more, the work is done before the last ones have begun.
const MOST_THREADS: usize = 16;

/// Does the work for each item. When the future is dropped, items that have not begun are left out,
/// and the others end at their next pause.
pub(super) async fn each<T, O, W, F>(items: Vec<T>, work: W) -> Vec<O>
where
    T: Send + 'static,
    O: Send + 'static,
    W: Fn(T) -> F + Send + Sync + 'static,
    F: Future<Output = O>,
{
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST_THREADS)
        .min(items.len());
    let (work, queue) = (
        Arc::new(work),
        Arc::new(Mutex::new(items.into_iter().enumerate().collect::<VecDeque<_>>())),
    );
    // Dropped with this future, which ends all of the work.
    let (_running, stopped) = watch::channel(());
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (work, queue, mut stopped, handle) =
                (Arc::clone(&work), Arc::clone(&queue), stopped.clone(), Handle::current());
            tokio::task::spawn_blocking(move || {
                let mut done = Vec::new();
                while let Some((index, item)) = next(&queue) {
                    let came = handle.block_on(async {
                        tokio::select! {
                            biased;
                            _ = stopped.changed() => None,
                            came = work(item) => Some(came),
                        }
                    });
                    match came {
                        Some(came) => done.push((index, came)),
                        None => break,
                    }
                }
                done
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        match worker.await {
            Ok(done) => all.extend(done),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, came)| came).collect()
}

fn next<T>(queue: &Mutex<VecDeque<T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn results_come_in_the_order_of_the_items() {
        let came = each((0..100).collect(), |number: u32| async move {
            tokio::task::yield_now().await;
            number * 2
        })
        .await;
        assert_eq!(came, (0..100).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(each(Vec::<u32>::new(), |number| async move { number }).await, [0; 0]);
    }

    #[tokio::test]
    async fn what_is_dropped_stops() {
        let begun = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&begun);
        let work = each((0..1_000).collect(), move |_: u32| {
            counting.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>()
        });
        assert!(tokio::time::timeout(std::time::Duration::from_millis(50), work).await.is_err());
        assert!(begun.load(Ordering::SeqCst) <= MOST_THREADS);
    }
}
