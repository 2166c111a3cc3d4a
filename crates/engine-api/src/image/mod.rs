//! Images, their content and their lists.

mod descriptor;
mod inspect;
mod summary;

pub use descriptor::{DistributionInspect, OciDescriptor, OciPlatform};
pub use inspect::{DriverData, ImageConfig, ImageInspect, ImageMetadata, RootFs};
pub use summary::{
    ImageDeleteResponseItem, ImageHistoryResponseItem, ImageManifestSummary, ImageSearchResult,
    ImageSummary, ImagesPruneReport, ManifestSize,
};
