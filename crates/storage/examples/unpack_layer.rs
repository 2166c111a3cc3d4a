//! Takes layer blobs into a store, all at once, and says how long it took:
//! `unpack_layer <data root> <blob>…`. For measuring; the store is real.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::Path;
use std::time::Instant;

use tare_oci::{Algorithm, Descriptor, Digest, Hasher};
use tare_storage::Store;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((root, blobs)) = arguments.split_first() else {
        return Err("usage: unpack_layer <data root> <blob>…".into());
    };
    let mut layers = Vec::new();
    for path in blobs {
        let descriptor = Descriptor::new(
            "",
            digest(File::open(path)?)?,
            std::fs::metadata(path)?.len(),
        );
        let archive = BufReader::with_capacity(1 << 20, File::open(path)?);
        let diff_id = match path.ends_with(".zst") {
            true => digest(zstd::stream::read::Decoder::with_buffer(archive)?)?,
            false => digest(flate2::bufread::MultiGzDecoder::new(archive))?,
        };
        layers.push((path, descriptor, diff_id));
    }
    let store = Store::open(Path::new(root))?;
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    std::thread::scope(|scope| -> Result<(), Box<dyn Error + Send + Sync>> {
        let threads = layers.iter().map(|(path, descriptor, diff_id)| {
            let store = &store;
            scope.spawn(move || -> Result<_, Box<dyn Error + Send + Sync>> {
                let mut blob = File::open(path)?;
                let mut writer = store.layer_writer(descriptor, diff_id)?;
                let mut piece = vec![0; 64 << 10];
                loop {
                    match blob.read(&mut piece)? {
                        0 => break,
                        length => writer.write_all(&piece[..length])?,
                    }
                }
                Ok((writer.finish()?, start.elapsed()))
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            let (layer, elapsed) = thread.join().map_err(|_| "a thread failed")??;
            println!(
                "{} bytes in {} entries after {:.3} s",
                layer.size,
                layer.entries,
                elapsed.as_secs_f64()
            );
        }
        Ok(())
    })?;
    let (elapsed, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    println!("all after {elapsed:.3} s, {cpu:.2} s of processor time");
    Ok(())
}

/// User and system time of this process so far, from proc_pid_stat(5).
fn cpu_seconds() -> Result<f64, Box<dyn Error + Send + Sync>> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .map(str::parse::<f64>)
        .sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

fn digest(mut input: impl Read) -> Result<Digest, Box<dyn Error + Send + Sync>> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut piece = vec![0; 1 << 20];
    loop {
        match input.read(&mut piece)? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(&piece[..length]),
        }
    }
}
