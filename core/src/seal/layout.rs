//! Sealing so that the very text comes back: what cannot be sealed as it is laid out is sealed as the reference lays it out,
//! and what the opened text does not tell of the original is kept beside, see [`crate::layout`].

use super::{Options, Sealed, Sealing, opens_to, seal_in_place};
use crate::data_key::DataKey;
use crate::document::{Document, Encrypted, Plain};
use crate::error::Error;
use crate::format::Format;
use crate::format::parts::Remedy;
use crate::layout;
use crate::open::Opened;

pub(super) fn seal(
    plain: &Document<Plain>,
    sealing: Sealing<'_>,
    options: &Options<'_>,
    earlier: Option<&Opened>,
) -> Result<(Document<Encrypted>, DataKey), Error> {
    let Sealing {
        recipients,
        selector,
        now,
        random,
    } = sealing;
    let mut sealed_as = |text: &Document<Plain>| {
        let sealing = Sealing {
            recipients,
            selector,
            now,
            random: &mut *random,
        };
        seal_in_place(text, plain, sealing, options, earlier)
    };
    let mut rewritten = None;
    let as_it_is = if needs_another_layout(plain) {
        None
    } else {
        Some(sealed_as(plain))
    };
    let sealed = match as_it_is {
        Some(Ok(sealed)) => sealed,
        refused => {
            let text = refused_or_rewritten(plain, refused)?;
            sealed_as(rewritten.insert(text))?
        }
    };
    let Sealed {
        document,
        data_key,
        made_of,
    } = sealed;
    let Some(mut made_of) = made_of else {
        return Ok((document, data_key));
    };
    // Mostly nothing is left to do, which is told without opening what was just sealed.
    let base = rewritten.as_ref().unwrap_or(plain);
    if plain.format() == Format::Binary {
        return Ok((document, data_key));
    }
    if opens_to(base, &document, &made_of.selection).is_ok_and(|text| text.as_str() == plain.text())
    {
        return Ok((document, data_key));
    }
    let opened = document.open(&data_key)?;
    let Some(difference) = layout::between(opened.plain().text(), plain.text()) else {
        return Ok((document, data_key));
    };
    let known = earlier.filter(|earlier| *earlier.data_key() == data_key);
    let field = match known.and_then(|earlier| earlier.sealed_layout(&difference)) {
        Some(field) => field.into(),
        None => layout::seal(&data_key, &difference, random)?,
    };
    made_of.metadata.layout = Some(field);
    let document = made_of.put_together(base)?;
    let again = document.open(&data_key)?;
    if again.plain().text() == plain.text() {
        Ok((document, data_key))
    } else {
        Err(Error::bug("the layout does not come back"))
    }
}

/// Whether it is known beforehand that the text cannot be sealed as it is, but can in another layout.
fn needs_another_layout(plain: &Document<Plain>) -> bool {
    let mut remedies = plain.obstacles().map(|obstacle| obstacle.remedy);
    remedies.any(|remedy| remedy == Remedy::Rewrite)
}

/// The same in the layout of the reference; what refused it first, when that does not help.
fn refused_or_rewritten(
    plain: &Document<Plain>,
    refused: Option<Result<Sealed, Error>>,
) -> Result<Document<Plain>, Error> {
    let lasting = plain
        .obstacles()
        .find(|obstacle| obstacle.remedy == Remedy::None);
    if let Some(obstacle) = lasting {
        return Err(obstacle.error());
    }
    let error = match refused {
        Some(Err(error)) if !is_about_layout(&error) => return Err(error),
        Some(Err(error)) => error,
        _ => match plain.obstacle() {
            Some(obstacle) => obstacle,
            None => Error::bug("a text was to be laid out anew for no reason"),
        },
    };
    let text = crate::convert::laid_out_anew(plain)?;
    match Document::<Plain>::of_text(plain.format(), text.into(), plain.limits()) {
        Ok(text) if layout::say_the_same(&text, plain) => Ok(text),
        _ => Err(error),
    }
}

fn is_about_layout(error: &Error) -> bool {
    use crate::error::ErrorCode as Code;
    matches!(
        error.code(),
        Code::LayoutUnsupported | Code::TagUnsupported | Code::Internal
    )
}
