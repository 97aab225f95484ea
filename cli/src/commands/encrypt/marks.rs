//! What `--mark` chooses in a document.

use stackseal_core::marks::{self, Mark};
use stackseal_core::{Document, ErrorCode, Plain, Selector};

use crate::exit::Failure;
use crate::many::Told;

/// The narrowest selector for the marks, if they may be sealed.
///
/// # Errors
/// `mark-matches-nothing`, `mark-hits-more`, and why a mark cannot be sealed, by its code.
pub(super) fn selector(
    document: &Document<Plain>,
    texts: &[String],
    accept_extra: bool,
    name: &str,
    told: &mut Told,
) -> Result<Selector, Failure> {
    let marks = texts
        .iter()
        .map(|text| Mark::parse(text).map_err(|error| Failure::of_argument(&error, "--mark")))
        .collect::<Result<Vec<_>, _>>()?;
    let analysis = marks::analyse(document, &marks);

    // Extra hits have a question of their own below.
    let refusals: Vec<_> = analysis
        .findings
        .iter()
        .filter(|it| it.refuses && it.code != ErrorCode::MarkHitsMore)
        .collect();
    if let Some(first) = refusals.first() {
        let mut message = format!("{name}: the marks cannot be sealed as they are");
        for finding in &refusals {
            message.push_str("\n  ");
            message.push_str(&place(finding.line, finding.path.as_deref()));
            message.push_str(&finding.message);
        }
        return Err(Failure::usage(first.code.as_str(), message));
    }
    let extra: Vec<_> = analysis
        .hits
        .iter()
        .filter(|hit| hit.mark.is_none())
        .collect();
    if !extra.is_empty() && !accept_extra {
        let mut message =
            format!("{name}: SOPS chooses by key name, so the marks would also seal:");
        for hit in extra {
            message.push_str(&format!("\n  line {}: {}", hit.line, hit.path));
        }
        message
            .push_str("\n  add --accept-extra to seal these too, or give the keys different names");
        return Err(Failure::usage(ErrorCode::MarkHitsMore.as_str(), message));
    }
    for finding in analysis.findings.iter().filter(|finding| !finding.refuses) {
        let place = place(finding.line, finding.path.as_deref());
        told.warning(&format!("{name}: {place}{}", finding.message));
    }
    analysis.selector.ok_or_else(|| {
        Failure::usage(
            "mark-matches-nothing",
            format!("{name}: the marks choose nothing; check their names"),
        )
    })
}

fn place(line: Option<usize>, path: Option<&str>) -> String {
    let line = line
        .map(|line| format!("line {line}: "))
        .unwrap_or_default();
    let path = path.map(|path| format!("{path}: ")).unwrap_or_default();
    format!("{line}{path}")
}
