//! A text as a QR code, in SVG: what a phone's camera reads.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// Blank modules around it, as the standard asks.
const QUIET: usize = 4;

/// The picture, black on white whatever the page's colours; empty for a text that is too long.
pub(super) fn svg(text: &str) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else {
        return String::new();
    };
    let width = code.width();
    let mut path = String::new();
    for (at, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        let _ = write!(path, "M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET);
    }
    let size = width + 2 * QUIET;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/>\
         <path d=\"{path}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_corners_and_says_nothing_but_squares() {
        let link = "otpauth://totp/Anteroom:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Anteroom";
        let picture = svg(link);
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"));
        assert!(picture.contains("M4 4h1v1h-1z"), "the corner of a finder");
        assert!(!picture.contains("GEZD") && !picture.contains("script"));
        assert_eq!(svg(&"x".repeat(5_000)), "");
    }
}
