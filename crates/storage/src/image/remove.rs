//! Removal by Docker's rules.
//!
//! A name given: that name goes, and with the last name of its repository the
//! names by digest of the same repository; the image itself goes when no name
//! is left. An ID given: everything goes, unless names of several repositories
//! are in the way. Containers that use the image are a conflict; running ones
//! cannot be overruled. The messages are Docker's, because programs match them.

use rusqlite::Transaction;
use tare_oci::image::RootFs;
use tare_oci::{Digest, Reference};

use super::query::digest;
use super::{Error, resolve, tag};
use crate::database::{self, Durability};
use crate::lease::Content;
use crate::store::{Store, delete_unused};

/// A container that uses an image.
#[derive(Clone, Debug)]
pub struct ImageUser {
    /// The container's ID.
    pub container: String,
    /// Whether it runs (or is paused); otherwise it was created or has ended.
    pub running: bool,
}

/// One thing a removal did, in the order it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// A name was taken away: the familiar form.
    Untagged(String),
    /// An image (by ID) or a layer (by chain ID, the topmost first) was deleted.
    Deleted(Digest),
}

/// Why an image was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// A container uses the image, and this was its last name.
    #[error(
        "conflict: unable to remove repository reference \"{reference}\" (must force) - \
         container {container} is using its referenced image {image}"
    )]
    ReferenceInUse {
        /// The name as given.
        reference: String,
        /// The container's short ID.
        container: String,
        /// The image's short ID.
        image: String,
    },
    /// A container uses the image, or it has names in several repositories.
    #[error(
        "conflict: unable to delete {image} ({}) - {reason}",
        if *forcible { "must be forced" } else { "cannot be forced" }
    )]
    InUse {
        /// The image's short ID.
        image: String,
        /// Whether `force` would help.
        forcible: bool,
        /// What is in the way.
        reason: String,
    },
    /// Finding the image or changing its record failed.
    #[error(transparent)]
    Image(#[from] Error),
}

impl From<database::Error> for RemoveError {
    fn from(error: database::Error) -> Self {
        Self::Image(error.into())
    }
}

impl From<rusqlite::Error> for RemoveError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Image(error.into())
    }
}

impl Store {
    /// Removes a name or an image. `users` says which containers use an image;
    /// it is asked once, before anything is changed.
    pub fn remove_image(
        &self,
        name: &str,
        force: bool,
        users: impl FnOnce(&Digest) -> Vec<ImageUser>,
    ) -> Result<Vec<Removed>, RemoveError> {
        let id = self.resolve(name)?;
        let users = users(&id);
        let (removed, trash) = {
            let mut leases = self.placement();
            let (removal, unused) = self.database().write(Durability::Synced, |transaction| {
                let removal = Removal::run(transaction, name, &id, force, &users)?;
                let unused = match leases.any() {
                    true => Content::default(),
                    false => delete_unused(transaction, &removal.content)?,
                };
                Ok::<_, RemoveError>((removal, unused))
            })?;
            if leases.any() {
                leases.defer(removal.content);
            }
            (removal.removed, self.throw_away(&unused))
        };
        self.delete(trash);
        Ok(removed)
    }
}

/// What a removal has done so far within its transaction.
#[derive(Default)]
struct Removal {
    removed: Vec<Removed>,
    content: Content,
}

impl Removal {
    fn run(
        transaction: &Transaction<'_>,
        name: &str,
        id: &Digest,
        force: bool,
        users: &[ImageUser],
    ) -> Result<Self, RemoveError> {
        let mut removal = Self::default();
        let references = tag::of_image(transaction, id)?;
        if resolve::is_prefix_of(name, id) {
            check_running(id, users)?;
            if !force && !is_single(&references) {
                return Err(in_use(
                    id,
                    true,
                    "image is referenced in multiple repositories".to_owned(),
                ));
            }
            check_users(id, force, users)?;
        } else {
            if !force && is_single(&references) {
                check_reference(name, id, users)?;
            }
            let remaining = removal.untag(transaction, references, name)?;
            // With the name gone as asked, a container's image stays dangling.
            if !remaining.is_empty() || check_users(id, force, users).is_err() {
                return Ok(removal);
            }
        }
        for reference in tag::of_image(transaction, id)? {
            removal.forget(transaction, &reference)?;
        }
        removal.delete(transaction, id)?;
        Ok(removal)
    }

    /// Takes away one name, and with the last tag of a repository its digests.
    /// Returns the names the image still has.
    fn untag(
        &mut self,
        transaction: &Transaction<'_>,
        mut references: Vec<Reference>,
        name: &str,
    ) -> Result<Vec<Reference>, RemoveError> {
        let given = Reference::parse_normalized(name)
            .map_err(Error::from)?
            .with_default_tag();
        let stored = match given.digest() {
            Some(digest) => given.with_digest(digest.clone()),
            None => given,
        };
        self.forget(transaction, &stored)?;
        references.retain(|reference| *reference != stored);
        let same_repository =
            |other: &Reference| other.without_tag_and_digest() == stored.without_tag_and_digest();
        let tag_remains = references
            .iter()
            .any(|other| other.tag().is_some() && same_repository(other));
        if stored.digest().is_some() || tag_remains {
            return Ok(references);
        }
        let (digests, others): (Vec<_>, Vec<_>) = references.into_iter().partition(same_repository);
        for reference in &digests {
            self.forget(transaction, reference)?;
        }
        Ok(others)
    }

    fn forget(
        &mut self,
        transaction: &Transaction<'_>,
        reference: &Reference,
    ) -> Result<(), RemoveError> {
        tag::forget(transaction, reference)?;
        self.removed.push(Removed::Untagged(reference.familiar()));
        Ok(())
    }

    /// Deletes the image, or hides it while snapshots stand on it.
    fn delete(&mut self, transaction: &Transaction<'_>, id: &Digest) -> Result<(), RemoveError> {
        self.removed.push(Removed::Deleted(id.clone()));
        let has_snapshots = transaction
            .prepare_cached("SELECT 1 FROM snapshots WHERE image = ?1")?
            .exists([id.as_str()])?;
        if has_snapshots {
            transaction
                .prepare_cached("UPDATE images SET removed = 1 WHERE id = ?1")?
                .execute([id.as_str()])?;
            return Ok(());
        }
        let (content, chain_ids) = delete_row(transaction, id)?;
        self.content = content;
        self.removed
            .extend(chain_ids.into_iter().map(Removed::Deleted));
        Ok(())
    }
}

/// Deletes an image's row with all that hangs on it. Returns the content it
/// had and the chain IDs that no image has any more, the topmost first.
pub(crate) fn delete_row(
    transaction: &Transaction<'_>,
    id: &Digest,
) -> Result<(Content, Vec<Digest>), database::Error> {
    let column = |query: &str| -> rusqlite::Result<Vec<Digest>> {
        transaction
            .prepare_cached(query)?
            .query_map([id.as_str()], |row| digest(row, 0))?
            .collect()
    };
    let diff_ids = column("SELECT diff_id FROM image_layers WHERE image = ?1 ORDER BY position")?;
    let blobs = column("SELECT digest FROM image_blobs WHERE image = ?1")?;
    let mut chain_ids = RootFs {
        kind: String::new(),
        diff_ids: diff_ids.clone(),
    }
    .chain_ids();
    transaction
        .prepare_cached("DELETE FROM images WHERE id = ?1")?
        .execute([id.as_str()])?;
    let mut in_use =
        transaction.prepare_cached("SELECT 1 FROM image_layers WHERE chain_id = ?1")?;
    let mut unused = Vec::new();
    while let Some(chain_id) = chain_ids.pop() {
        if in_use.exists([chain_id.as_str()])? {
            // And so is everything below it.
            break;
        }
        unused.push(chain_id);
    }
    Ok((
        Content {
            layers: diff_ids,
            blobs,
        },
        unused,
    ))
}

/// At most one tag, and no digest of a repository other than the tag's: the
/// image can go by its ID without a name being lost by surprise.
fn is_single(references: &[Reference]) -> bool {
    if references.len() <= 1 {
        return true;
    }
    let mut tags = references
        .iter()
        .filter(|reference| reference.tag().is_some());
    let first = tags.next().unwrap_or(&references[0]);
    let repository = first.without_tag_and_digest();
    tags.next().is_none()
        && references
            .iter()
            .all(|reference| reference.without_tag_and_digest() == repository)
}

fn check_reference(name: &str, id: &Digest, users: &[ImageUser]) -> Result<(), RemoveError> {
    match users.first() {
        Some(user) => Err(RemoveError::ReferenceInUse {
            reference: name.to_owned(),
            container: short(&user.container),
            image: id.short().to_owned(),
        }),
        None => Ok(()),
    }
}

fn check_running(id: &Digest, users: &[ImageUser]) -> Result<(), RemoveError> {
    match users.iter().find(|user| user.running) {
        Some(user) => {
            let reason = format!(
                "image is being used by running container {}",
                short(&user.container)
            );
            Err(in_use(id, false, reason))
        }
        None => Ok(()),
    }
}

fn check_users(id: &Digest, force: bool, users: &[ImageUser]) -> Result<(), RemoveError> {
    check_running(id, users)?;
    match users.first() {
        Some(user) if !force => {
            let reason = format!(
                "image is being used by stopped container {}",
                short(&user.container)
            );
            Err(in_use(id, true, reason))
        }
        _ => Ok(()),
    }
}

fn in_use(id: &Digest, forcible: bool, reason: String) -> RemoveError {
    RemoveError::InUse {
        image: id.short().to_owned(),
        forcible,
        reason,
    }
}

fn short(container: &str) -> String {
    container.chars().take(12).collect()
}
