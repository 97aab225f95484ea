//! Embeds the page: writes a table of the files under `STACKSEAL_PAGE_DIR`, each with a brotli copy.
//!
//! Without the folder the table is empty, and the server says that it holds no page.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=STACKSEAL_PAGE_DIR");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    let folder = std::env::var_os("STACKSEAL_PAGE_DIR").map(PathBuf::from);
    if let Some(folder) = folder.filter(|folder| folder.join("index.html").is_file()) {
        println!("cargo::rerun-if-changed={}", folder.display());
        let folder = folder.canonicalize()?;
        let mut files = Vec::new();
        collect(&folder, &mut files)?;
        files.sort();
        for (number, file) in files.iter().enumerate() {
            let name = file.strip_prefix(&folder).unwrap_or(file).to_string_lossy();
            let brotli = compress(file, &out.join(format!("{number}.br")))?;
            let brotli = match brotli {
                Some(path) => format!("Some(include_bytes!({:?}))", path.display().to_string()),
                None => "None".to_owned(),
            };
            let path = file.display().to_string();
            table += &format!(
                "    Asset {{ path: {name:?}, bytes: include_bytes!({path:?}), brotli: {brotli} }},\n"
            );
        }
    } else if let Some(folder) = std::env::var_os("STACKSEAL_PAGE_DIR") {
        // a page that is built later is noticed
        println!(
            "cargo::rerun-if-changed={}",
            Path::new(&folder).join("index.html").display()
        );
    }
    table += "];\n";
    fs::write(out.join("assets.rs"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Writes a compressed copy, if it is worth it.
fn compress(file: &Path, to: &Path) -> io::Result<Option<PathBuf>> {
    let bytes = fs::read(file)?;
    let mut compressed = Vec::new();
    {
        let mut writer = brotli::CompressorWriter::new(&mut compressed, 1 << 16, 11, 22);
        writer.write_all(&bytes)?;
        writer.flush()?;
    }
    if compressed.len() * 10 > bytes.len() * 9 {
        return Ok(None);
    }
    fs::write(to, &compressed)?;
    Ok(Some(to.to_owned()))
}
