//! Checks that a collection can resume anywhere: another instance gives the same page, and so does
//! a repeated request.
//!
//! Pages are equal if they are written as equal bytes.

use std::sync::Arc;

use smp_host::collect::destination::Listed;
use smp_host::failure::Failure;
use smp_host::http::transport::Request;
use smp_host::observer::Silent;
use smp_host::settings::Checked;
use smp_replay::player::case::Case;
use smp_replay::player::{Mode, Player};

/// Most pages at which a run is resumed, and most pages that each of these runs reads. More would
/// show nothing new.
const MOST_PAGES: usize = 25;

/// The findings, a sentence each.
#[derive(Debug, Default)]
pub(super) struct Resumed {
    /// Pages that another instance gives differently.
    pub(super) elsewhere: Vec<String>,
    /// Pages that differ when they are requested again.
    pub(super) again: Vec<String>,
}

/// A page, and the position of its run.
struct Read<P> {
    asked: Option<String>,
    before: Vec<Request>,
    page: P,
}

/// Reads the list page by page, and each page in another instance and again. Nothing is found if
/// the list cannot be read in one go.
///
/// # Errors
/// If the fixture cannot be played.
pub(super) async fn resumed<P: Listed + PartialEq>(
    player: &Player,
    case: &Case,
    checked: &Checked,
) -> Result<Resumed, Failure> {
    let mut found = Resumed::default();
    let Some(pages) = straight::<P>(player, case, checked).await? else { return Ok(found) };
    for (number, read) in pages.iter().enumerate().take(MOST_PAGES) {
        let page = format!("{}: page {} of {}", case.name, number + 1, pages.len());
        let playback = player.playback(&case.fixture, Mode::Lenient(None))?;
        playback.traffic().go_on_after(&read.before);
        let mut session = playback.session_for(P::PURPOSE, checked, Arc::new(Silent));
        for (ahead, expected) in pages.iter().skip(number).take(MOST_PAGES).enumerate() {
            let came = P::ask(&mut session, expected.asked.as_ref()).await;
            if came.as_ref() != Ok(&expected.page) {
                let what =
                    if ahead == 0 { String::new() } else { format!(", and {ahead} pages on") };
                found.elsewhere.push(format!("{page}{what}: another instance {}", differs(&came)));
                break;
            }
            if ahead == 0 {
                let tries = playback.traffic().tries();
                playback.traffic().go_on_after(&read.before);
                let again = P::ask(&mut session, expected.asked.as_ref()).await;
                if again.as_ref() != Ok(&expected.page) {
                    found.again.push(format!(
                        "{page}: the second time, the same instance {}",
                        differs(&again)
                    ));
                }
                playback.traffic().go_on_after(&[read.before.clone(), tries].concat());
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(found)
}

/// The pages of one instance, in order. `None` if that fails; a whole run may recover by starting
/// over.
async fn straight<P: Listed + PartialEq>(
    player: &Player,
    case: &Case,
    checked: &Checked,
) -> Result<Option<Vec<Read<P>>>, Failure> {
    let playback = player.playback(&case.fixture, Mode::Lenient(None))?;
    let mut session = playback.session_for(P::PURPOSE, checked, Arc::new(Silent));
    let (mut pages, mut asked) = (Vec::new(), None);
    loop {
        let before = playback.traffic().tries();
        let Ok(page) = P::ask(&mut session, asked.as_ref()).await else { return Ok(None) };
        let next = page.next().map(str::to_owned);
        pages.push(Read { asked, before, page });
        match next {
            Some(next) if pages.len() < 2 * MOST_PAGES => asked = Some(next),
            _ => return Ok(Some(pages)),
        }
    }
}

fn differs<P: Listed + PartialEq>(came: &Result<P, Failure>) -> String {
    match came {
        Err(failure) => format!(
            "ends as `{}`: {}",
            failure.code,
            smp_host::text::shortened(&failure.message, 200)
        ),
        Ok(page) => {
            format!("gives a different page, with {} {}", page.records().len(), P::RECORDS)
        }
    }
}
