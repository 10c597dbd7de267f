//! One anonymous mapping: fresh from the kernel, written page by page, measured.
//!
//! `mmap` and not the allocator, which would reuse freed memory without a page fault.

use std::{hint::black_box, io};

use memmap2::MmapMut;
use nix::errno::Errno;
#[cfg(test)]
use nix::libc;

/// Bytes in a MiB.
pub(super) const MIB: u64 = 1 << 20;

#[cfg(test)]
/// Pages that one system call reports.
const PAGES_PER_CALL: usize = 4096;

/// A private anonymous mapping, given back to the kernel when dropped.
#[derive(Debug)]
pub(super) struct Mapping {
    map: MmapMut,
    page_size: usize,
}

impl Mapping {
    /// Maps `bytes`, of which nothing is resident yet.
    pub(super) fn map(bytes: u64) -> io::Result<Self> {
        let length = usize::try_from(bytes).map_err(|_| io::Error::from(Errno::ENOMEM))?;
        let page_size = usize::try_from(procfs::page_size()).map_err(io::Error::other)?;
        Ok(Self { map: MmapMut::map_anon(length)?, page_size })
    }

    /// Writes to every page.
    pub(super) fn touch(&mut self) {
        for page in self.map.chunks_mut(self.page_size) {
            page[0] = 1;
        }
        black_box(&self.map);
    }

    #[cfg(test)]
    /// How much of this mapping is in memory now, in bytes, by the kernel's page tables.
    pub(super) fn resident_bytes(&self) -> io::Result<u64> {
        let mut pages = [0_u8; PAGES_PER_CALL];
        let mut resident = 0;
        for window in self.map.chunks(PAGES_PER_CALL * self.page_size) {
            query(window, &mut pages)?;
            let queried = window.len().div_ceil(self.page_size);
            resident += pages[..queried].iter().filter(|page| **page & 1 == 1).count() as u64;
        }
        Ok(resident * self.page_size as u64)
    }
}

#[cfg(test)]
/// Asks the kernel which pages of `window` are resident: the lowest bit of a byte for each page.
#[expect(unsafe_code, reason = "no crate has a safe wrapper of mincore")]
fn query(window: &[u8], pages: &mut [u8; PAGES_PER_CALL]) -> io::Result<()> {
    // SAFETY: `window` is mapped for as long as it is borrowed and the call only reads its page tables; it writes one
    // byte a page to `pages`, which `resident_bytes` cuts the windows for.
    let result = unsafe { libc::mincore(window.as_ptr().cast_mut().cast(), window.len(), pages.as_mut_ptr()) };
    Errno::result(result).map(drop).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_resident_until_it_is_touched_and_then_all_of_it() {
        // More than one system call, and an odd end.
        let bytes = 17 * MIB + 4096;
        let mut mapping = Mapping::map(bytes).unwrap();
        assert_eq!(mapping.resident_bytes().unwrap(), 0);
        mapping.touch();
        assert_eq!(mapping.resident_bytes().unwrap(), bytes);
    }
}
