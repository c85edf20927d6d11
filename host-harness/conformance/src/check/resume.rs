//! Whether a collection goes on anywhere: every page from another instance, and every page once
//! more, is the same.
//!
//! Equal pages are equal bytes: whatever writes them writes the same for the same page.

use std::sync::Arc;

use smp_host::contract::MemberPage;
use smp_host::failure::Failure;
use smp_host::http::transport::Request;
use smp_host::observer::Silent;
use smp_host::settings::Checked;
use smp_replay::player::case::Case;
use smp_replay::player::{Mode, Player};

/// Pages at which a run is resumed, and pages that each of these runs reads: more of them say
/// nothing new.
const MOST_PAGES: usize = 25;

/// What was found, a sentence each.
#[derive(Debug, Default)]
pub(super) struct Resumed {
    /// Pages that another instance does not give.
    pub(super) elsewhere: Vec<String>,
    /// Pages that are others when they are asked for again.
    pub(super) again: Vec<String>,
}

/// A page as it came, and where its run stood then.
struct Read {
    asked: Option<String>,
    before: Vec<Request>,
    page: MemberPage,
}

/// Reads the list page by page, and each page from elsewhere and again. Nothing is found where the
/// list cannot be read in one go.
///
/// # Errors
/// When the fixture cannot be played.
pub(super) async fn resumed(
    player: &Player,
    case: &Case,
    checked: &Checked,
) -> Result<Resumed, Failure> {
    let mut found = Resumed::default();
    let Some(pages) = straight(player, case, checked).await? else { return Ok(found) };
    for (number, read) in pages.iter().enumerate().take(MOST_PAGES) {
        let page = format!("{}: page {} of {}", case.name, number + 1, pages.len());
        let playback = player.playback(&case.fixture, Mode::Lenient(None))?;
        playback.traffic().go_on_after(&read.before);
        let mut session = playback.session(checked, Arc::new(Silent));
        for (ahead, expected) in pages.iter().skip(number).take(MOST_PAGES).enumerate() {
            let came = session.collect(expected.asked.as_ref()).await;
            if came.as_ref() != Ok(&expected.page) {
                let what =
                    if ahead == 0 { String::new() } else { format!(", and {ahead} pages on") };
                found.elsewhere.push(format!("{page}{what}: another instance {}", differs(&came)));
                break;
            }
            if ahead == 0 {
                let tries = playback.traffic().tries();
                playback.traffic().go_on_after(&read.before);
                let again = session.collect(expected.asked.as_ref()).await;
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

/// The pages, one after the other from one instance. None where that ends in a failure, which a
/// whole run may mend by starting over.
async fn straight(
    player: &Player,
    case: &Case,
    checked: &Checked,
) -> Result<Option<Vec<Read>>, Failure> {
    let playback = player.playback(&case.fixture, Mode::Lenient(None))?;
    let mut session = playback.session(checked, Arc::new(Silent));
    let (mut pages, mut asked) = (Vec::new(), None);
    loop {
        let before = playback.traffic().tries();
        let Ok(page) = session.collect(asked.as_ref()).await else { return Ok(None) };
        let next = page.next.clone();
        pages.push(Read { asked, before, page });
        match next {
            Some(next) if pages.len() < 2 * MOST_PAGES => asked = Some(next),
            _ => return Ok(Some(pages)),
        }
    }
}

fn differs(came: &Result<MemberPage, Failure>) -> String {
    match came {
        Err(failure) => format!(
            "ends as `{}`: {}",
            failure.code,
            smp_host::text::shortened(&failure.message, 200)
        ),
        Ok(page) => format!("gives another page, with {} members", page.members.len()),
    }
}
