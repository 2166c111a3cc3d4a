//! The list of images and its filters.

use tare_engine_api::{Filters, ImageSummary};
use tare_oci::Reference;
use tare_storage::{Image, Store};

use super::pattern;
use super::{Images, from_store};
use crate::engine::Engine;
use crate::error::{Error, Result};

const FILTERS: [&str; 7] = [
    "before",
    "dangling",
    "label",
    "label!",
    "reference",
    "since",
    "until",
];

impl Engine {
    /// The images that pass the filters, the newest first. There are no
    /// intermediate images, so `all` adds none.
    pub async fn image_list(&self, filters: Filters, all: bool) -> Result<Vec<ImageSummary>> {
        let _ = all;
        self.images().list(filters).await
    }
}

impl Images {
    /// See [`Engine::image_list`].
    pub async fn list(&self, filters: Filters) -> Result<Vec<ImageSummary>> {
        filters
            .accept(&FILTERS)
            .map_err(|error| Error::invalid(error.to_string()))?;
        self.with_store(move |store| list(store, &filters)).await
    }
}

fn list(store: &Store, filters: &Filters) -> Result<Vec<ImageSummary>> {
    let wanted = Wanted::new(store, filters)?;
    let images = store.images().map_err(from_store)?;
    let mut summaries = Vec::new();
    for mut image in images {
        if wanted.takes(&mut image)? {
            summaries.push(summary(image));
        }
    }
    Ok(summaries)
}

/// The filters, with what they refer to looked up once.
struct Wanted<'a> {
    filters: &'a Filters,
    dangling: Option<bool>,
    before: Option<i64>,
    since: Option<i64>,
}

impl<'a> Wanted<'a> {
    fn new(store: &Store, filters: &'a Filters) -> Result<Self> {
        let created = |name: &str| {
            let image = filters.values(name).next().map(|value| {
                let id = store.resolve(value).map_err(from_store)?;
                store.image(&id).map_err(from_store)
            });
            Ok::<_, Error>(image.transpose()?.map(|image| image.created))
        };
        let dangling = filters.boolean("dangling");
        let now = jiff::Timestamp::now().as_nanosecond();
        let until = filters.values("until").map(|value| {
            let nanoseconds = tare_engine_api::time::parse_until(value, now);
            let seconds = nanoseconds.and_then(|time| i64::try_from(time / 1_000_000_000).ok());
            seconds.ok_or_else(|| Error::invalid(format!("invalid filter 'until={value}'")))
        });
        let until: Option<i64> = until.collect::<Result<Vec<_>>>()?.into_iter().min();
        Ok(Self {
            filters,
            dangling: dangling.map_err(|error| Error::invalid(error.to_string()))?,
            before: [created("before")?, until].into_iter().flatten().min(),
            since: created("since")?,
        })
    }

    /// Whether the image is shown; with a reference filter only the names that match
    /// it remain.
    fn takes(&self, image: &mut Image) -> Result<bool> {
        let filters = self.filters;
        let is_excluded = filters
            .values("label!")
            .any(|label| has_label(image, label));
        if is_excluded
            || !filters.matches_labels("label", &image.labels)
            || self.before.is_some_and(|before| image.created >= before)
            || self.since.is_some_and(|since| image.created <= since)
        {
            return Ok(false);
        }
        if filters.contains("reference") {
            let mut kept = Vec::new();
            for reference in std::mem::take(&mut image.references) {
                if self.matches(&reference)? {
                    kept.push(reference);
                }
            }
            image.references = kept;
            if image.references.is_empty() {
                return Ok(false);
            }
        }
        let is_dangling = image
            .references
            .iter()
            .all(|reference| reference.tag().is_none());
        Ok(self.dangling.is_none_or(|dangling| dangling == is_dangling))
    }

    fn matches(&self, reference: &Reference) -> Result<bool> {
        let (whole, name) = (reference.familiar(), reference.familiar_name());
        for wanted in self.filters.values("reference") {
            let found = pattern::matches(wanted, &whole)
                .and_then(|found| Ok(found || pattern::matches(wanted, &name)?));
            match found {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) => {
                    return Err(Error::invalid(format!(
                        "invalid reference filter {wanted}: {error}"
                    )));
                }
            }
        }
        Ok(false)
    }
}

fn has_label(image: &Image, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => image.labels.get(key).is_some_and(|label| label == value),
        None => image.labels.contains_key(wanted),
    }
}

/// Names with a tag, and names with a digest, as Docker shows them.
pub(super) fn names(references: &[Reference]) -> (Vec<String>, Vec<String>) {
    let (tags, digests): (Vec<&Reference>, Vec<&Reference>) = references
        .iter()
        .partition(|reference| reference.tag().is_some());
    let familiar =
        |references: Vec<&Reference>| references.into_iter().map(Reference::familiar).collect();
    (familiar(tags), familiar(digests))
}

fn summary(image: Image) -> ImageSummary {
    let (repo_tags, repo_digests) = names(&image.references);
    ImageSummary {
        containers: -1,
        created: image.created,
        id: image.id.to_string(),
        labels: (!image.labels.is_empty()).then_some(image.labels),
        repo_digests,
        repo_tags,
        shared_size: -1,
        size: i64::try_from(image.size).unwrap_or(i64::MAX),
        ..ImageSummary::default()
    }
}
