//! Names of cipher suites: those of IANA's registry in upper case, as Zeek shows them.

/// The name of a cipher suite; `unknown-` and the number if it has none.
pub(crate) fn name(code: u16) -> String {
    if crate::names::is_grease(code) {
        return crate::names::grease(code);
    }
    registered(code).unwrap_or_else(|| crate::names::unknown(code))
}

fn registered(code: u16) -> Option<String> {
    // The last row that begins at the code or before it; rows may have space behind them.
    let (first, keys, ciphers) = SUITES.iter().rfind(|(first, ..)| *first <= code)?;
    let index = usize::from(code - first);
    let count = ciphers.split(' ').count();
    let cipher = ciphers.split(' ').nth(index % count)?;
    let key = keys.split(' ').nth(index / count)?;
    if key.is_empty() {
        return Some(cipher.to_owned());
    }
    Some(["TLS_", key, "_WITH_", cipher].concat())
}

/// Rows of consecutive suites: the number of the first one, key exchanges, and the ciphers of each key
/// exchange. The full name is `TLS_<key exchange>_WITH_<cipher>`, or, in a row without key exchanges, what
/// stands there.
#[rustfmt::skip] // a row is a row
const SUITES: &[(u16, &str, &str)] = &[
    (0x0000, "NULL", "NULL_NULL"),
    (0x0001, "RSA", "NULL_MD5 NULL_SHA"),
    (0x0003, "RSA_EXPORT", "RC4_40_MD5"),
    (0x0004, "RSA", "RC4_128_MD5 RC4_128_SHA"),
    (0x0006, "RSA_EXPORT", "RC2_CBC_40_MD5"),
    (0x0007, "RSA", "IDEA_CBC_SHA"),
    (0x0008, "RSA_EXPORT", "DES40_CBC_SHA"),
    (0x0009, "RSA", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    (0x000b, "DH_DSS_EXPORT", "DES40_CBC_SHA"),
    (0x000c, "DH_DSS", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    (0x000e, "DH_RSA_EXPORT", "DES40_CBC_SHA"),
    (0x000f, "DH_RSA", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    (0x0011, "DHE_DSS_EXPORT", "DES40_CBC_SHA"),
    (0x0012, "DHE_DSS", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    (0x0014, "DHE_RSA_EXPORT", "DES40_CBC_SHA"),
    (0x0015, "DHE_RSA", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    (0x0017, "DH_ANON_EXPORT", "RC4_40_MD5"),
    (0x0018, "DH_ANON", "RC4_128_MD5"),
    (0x0019, "DH_ANON_EXPORT", "DES40_CBC_SHA"),
    (0x001a, "DH_ANON", "DES_CBC_SHA 3DES_EDE_CBC_SHA"),
    (0x001c, "", "SSL_FORTEZZA_KEA_WITH_NULL_SHA SSL_FORTEZZA_KEA_WITH_FORTEZZA_CBC_SHA"),
    (0x001e, "KRB5", "DES_CBC_SHA 3DES_EDE_CBC_SHA RC4_128_SHA IDEA_CBC_SHA DES_CBC_MD5 3DES_EDE_CBC_MD5 RC4_128_MD5 IDEA_CBC_MD5"),
    (0x0026, "KRB5_EXPORT", "DES_CBC_40_SHA RC2_CBC_40_SHA RC4_40_SHA DES_CBC_40_MD5 RC2_CBC_40_MD5 RC4_40_MD5"),
    (0x002c, "PSK DHE_PSK RSA_PSK", "NULL_SHA"),
    (0x002f, "RSA DH_DSS DH_RSA DHE_DSS DHE_RSA DH_ANON", "AES_128_CBC_SHA"),
    (0x0035, "RSA DH_DSS DH_RSA DHE_DSS DHE_RSA DH_ANON", "AES_256_CBC_SHA"),
    (0x003b, "RSA", "NULL_SHA256 AES_128_CBC_SHA256 AES_256_CBC_SHA256"),
    (0x003e, "DH_DSS DH_RSA DHE_DSS", "AES_128_CBC_SHA256"),
    (0x0041, "RSA DH_DSS DH_RSA DHE_DSS DHE_RSA DH_ANON", "CAMELLIA_128_CBC_SHA"),
    (0x0060, "RSA_EXPORT1024", "RC4_56_MD5 RC2_CBC_56_MD5 DES_CBC_SHA"),
    (0x0063, "DHE_DSS_EXPORT1024", "DES_CBC_SHA"),
    (0x0064, "RSA_EXPORT1024 DHE_DSS_EXPORT1024", "RC4_56_SHA"),
    (0x0066, "DHE_DSS", "RC4_128_SHA"),
    (0x0067, "DHE_RSA", "AES_128_CBC_SHA256"),
    (0x0068, "DH_DSS DH_RSA DHE_DSS DHE_RSA", "AES_256_CBC_SHA256"),
    (0x006c, "DH_ANON", "AES_128_CBC_SHA256 AES_256_CBC_SHA256"),
    (0x0072, "DHE_DSS", "3DES_EDE_CBC_RMD AES_128_CBC_RMD AES_256_CBC_RMD"),
    (0x0077, "DHE_RSA", "3DES_EDE_CBC_RMD AES_128_CBC_RMD AES_256_CBC_RMD"),
    (0x007c, "RSA", "3DES_EDE_CBC_RMD AES_128_CBC_RMD AES_256_CBC_RMD"),
    (0x0080, "GOSTR341094 GOSTR341001", "28147_CNT_IMIT"),
    (0x0082, "GOSTR341094 GOSTR341001", "NULL_GOSTR3411"),
    (0x0084, "RSA DH_DSS DH_RSA DHE_DSS DHE_RSA DH_ANON", "CAMELLIA_256_CBC_SHA"),
    (0x008a, "PSK DHE_PSK RSA_PSK", "RC4_128_SHA 3DES_EDE_CBC_SHA AES_128_CBC_SHA AES_256_CBC_SHA"),
    (0x0096, "RSA DH_DSS DH_RSA DHE_DSS DHE_RSA DH_ANON", "SEED_CBC_SHA"),
    (0x009c, "RSA DHE_RSA DH_RSA DHE_DSS DH_DSS DH_ANON PSK DHE_PSK RSA_PSK", "AES_128_GCM_SHA256 AES_256_GCM_SHA384"),
    (0x00ae, "PSK DHE_PSK RSA_PSK", "AES_128_CBC_SHA256 AES_256_CBC_SHA384 NULL_SHA256 NULL_SHA384"),
    (0x00ba, "RSA DH_DSS DH_RSA DHE_DSS DHE_RSA DH_ANON", "CAMELLIA_128_CBC_SHA256"),
    (0x00c0, "RSA DH_DSS DH_RSA DHE_DSS DHE_RSA DH_ANON", "CAMELLIA_256_CBC_SHA256"),
    (0x00c6, "", "TLS_SM4_GCM_SM3 TLS_SM4_CCM_SM3"),
    (0x00ff, "", "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
    (0x1301, "", "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_CCM_SHA256 TLS_AES_128_CCM_8_SHA256 TLS_AEGIS_256_SHA384 TLS_AEGIS_128L_SHA256"),
    (0x5600, "", "TLS_FALLBACK_SCSV"),
    (0xc001, "ECDH_ECDSA ECDHE_ECDSA ECDH_RSA ECDHE_RSA ECDH_ANON", "NULL_SHA RC4_128_SHA 3DES_EDE_CBC_SHA AES_128_CBC_SHA AES_256_CBC_SHA"),
    (0xc01a, "SRP_SHA SRP_SHA_RSA SRP_SHA_DSS", "3DES_EDE_CBC_SHA"),
    (0xc01d, "SRP_SHA SRP_SHA_RSA SRP_SHA_DSS", "AES_128_CBC_SHA"),
    (0xc020, "SRP_SHA SRP_SHA_RSA SRP_SHA_DSS", "AES_256_CBC_SHA"),
    (0xc023, "ECDHE_ECDSA ECDH_ECDSA ECDHE_RSA ECDH_RSA", "AES_128_CBC_SHA256 AES_256_CBC_SHA384"),
    (0xc02b, "ECDHE_ECDSA ECDH_ECDSA ECDHE_RSA ECDH_RSA", "AES_128_GCM_SHA256 AES_256_GCM_SHA384"),
    (0xc033, "ECDHE_PSK", "RC4_128_SHA 3DES_EDE_CBC_SHA AES_128_CBC_SHA AES_256_CBC_SHA AES_128_CBC_SHA256 AES_256_CBC_SHA384 NULL_SHA NULL_SHA256 NULL_SHA384"),
    (0xc03c, "RSA DH_DSS DH_RSA DHE_DSS DHE_RSA DH_ANON ECDHE_ECDSA ECDH_ECDSA ECDHE_RSA ECDH_RSA", "ARIA_128_CBC_SHA256 ARIA_256_CBC_SHA384"),
    (0xc050, "RSA DHE_RSA DH_RSA DHE_DSS DH_DSS DH_ANON ECDHE_ECDSA ECDH_ECDSA ECDHE_RSA ECDH_RSA", "ARIA_128_GCM_SHA256 ARIA_256_GCM_SHA384"),
    (0xc064, "PSK DHE_PSK RSA_PSK", "ARIA_128_CBC_SHA256 ARIA_256_CBC_SHA384"),
    (0xc06a, "PSK DHE_PSK RSA_PSK", "ARIA_128_GCM_SHA256 ARIA_256_GCM_SHA384"),
    (0xc070, "ECDHE_PSK", "ARIA_128_CBC_SHA256 ARIA_256_CBC_SHA384"),
    (0xc072, "ECDHE_ECDSA ECDH_ECDSA ECDHE_RSA ECDH_RSA", "CAMELLIA_128_CBC_SHA256 CAMELLIA_256_CBC_SHA384"),
    (0xc07a, "RSA DHE_RSA DH_RSA DHE_DSS DH_DSS DH_ANON ECDHE_ECDSA ECDH_ECDSA ECDHE_RSA ECDH_RSA PSK DHE_PSK RSA_PSK", "CAMELLIA_128_GCM_SHA256 CAMELLIA_256_GCM_SHA384"),
    (0xc094, "PSK DHE_PSK RSA_PSK ECDHE_PSK", "CAMELLIA_128_CBC_SHA256 CAMELLIA_256_CBC_SHA384"),
    (0xc09c, "RSA DHE_RSA", "AES_128_CCM AES_256_CCM"),
    (0xc0a0, "RSA DHE_RSA", "AES_128_CCM_8 AES_256_CCM_8"),
    (0xc0a4, "PSK DHE_PSK", "AES_128_CCM AES_256_CCM"),
    (0xc0a8, "PSK PSK_DHE", "AES_128_CCM_8 AES_256_CCM_8"),
    (0xc0ac, "ECDHE_ECDSA", "AES_128_CCM AES_256_CCM AES_128_CCM_8 AES_256_CCM_8"),
    (0xc0b0, "ECCPWD", "AES_128_GCM_SHA256 AES_256_GCM_SHA384 AES_128_CCM_SHA256 AES_256_CCM_SHA384"),
    (0xc0b4, "", "TLS_SHA256_SHA256 TLS_SHA384_SHA384"),
    (0xc0ff, "ECJPAKE", "AES_128_CCM_8"),
    (0xc100, "GOSTR341112_256", "KUZNYECHIK_CTR_OMAC MAGMA_CTR_OMAC 28147_CNT_IMIT KUZNYECHIK_MGM_L MAGMA_MGM_L KUZNYECHIK_MGM_S MAGMA_MGM_S"),
    (0xcc13, "ECDHE_RSA ECDHE_ECDSA DHE_RSA", "CHACHA20_POLY1305_SHA256_OLD"),
    (0xcca8, "ECDHE_RSA ECDHE_ECDSA DHE_RSA PSK ECDHE_PSK DHE_PSK RSA_PSK", "CHACHA20_POLY1305_SHA256"),
    (0xd001, "ECDHE_PSK", "AES_128_GCM_SHA256 AES_256_GCM_SHA384 AES_128_CCM_8_SHA256"),
    (0xd005, "ECDHE_PSK", "AES_128_CCM_SHA256"),
    (0xe001, "", "ECDHE_SM1_SM3"),
    (0xe003, "", "ECC_SM1_SM3"),
    (0xe005, "", "IBSDH_SM1_SM3"),
    (0xe007, "", "IBC_SM1_SM3"),
    (0xe009, "", "RSA_SM1_SM3 RSA_SM1_SHA1"),
    (0xe011, "", "ECDHE_SM4_CBC_SM3"),
    (0xe013, "", "ECC_SM4_CBC_SM3"),
    (0xe015, "", "IBSDH_SM4_CBC_SM3"),
    (0xe017, "", "IBC_SM4_CBC_SM3"),
    (0xe019, "", "RSA_SM4_CBC_SM3 RSA_SM4_CBC_SHA1"),
    (0xe01c, "", "RSA_SM4_CBC_SHA256"),
    (0xe051, "", "ECDHE_SM4_GCM_SM3"),
    (0xe053, "", "ECC_SM4_GCM_SM3"),
    (0xe055, "", "IBSDH_SM4_GCM_SM3"),
    (0xe057, "", "IBC_SM4_GCM_SM3"),
    (0xe059, "", "RSA_SM4_GCM_SM3 RSA_SM4_GCM_SHA256"),
    (0xe410, "RSA ECDHE_RSA ECDHE_ECDSA PSK ECDHE_PSK RSA_PSK DHE_PSK DHE_RSA", "ESTREAM_SALSA20_SHA1 SALSA20_SHA1"),
    (0xfefe, "", "SSL_RSA_FIPS_WITH_DES_CBC_SHA SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA"),
    (0xffe0, "", "SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA_2 SSL_RSA_FIPS_WITH_DES_CBC_SHA_2"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_do_not_overlap() {
        for pair in SUITES.windows(2) {
            let (first, keys, ciphers) = pair[0];
            let length = keys.split(' ').count() * ciphers.split(' ').count();
            assert!(usize::from(first) + length <= usize::from(pair[1].0), "{first:04x}");
        }
    }

    #[test]
    fn names_of_all_forms() {
        for (code, wanted) in [
            (0x0000, "TLS_NULL_WITH_NULL_NULL"),
            (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
            (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
            (0x0034, "TLS_DH_ANON_WITH_AES_128_CBC_SHA"),
            (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
            (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
            (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
            (0x00ad, "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384"),
            (0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
            (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
            (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
            (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
            (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
            (0xffe1, "SSL_RSA_FIPS_WITH_DES_CBC_SHA_2"),
            (0x1a1a, "grease_0x1A1A"),
            (0x00fe, "unknown-254"),
            (0xd004, "unknown-53252"),
            (0xffff, "unknown-65535"),
        ] {
            assert_eq!(name(code), wanted);
        }
    }
}
