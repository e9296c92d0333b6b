//! FN-DSA has no peers yet: the known answers of its author are repeated, so that at least this build does what he meant.

use fn_dsa::{
    DomainContext, HASH_ID_RAW, KeyPairGenerator as _, SHA3_256, SHAKE256, SigningKey as _,
    VerifyingKey as _, sign_key_size, signature_size, vrfy_key_size,
};

use super::bytes;
use crate::auth::token::base64url::decode;
use crate::auth::token::jwks::{KeyMaterial, PrivateJwk};
use crate::auth::token::signature::fn_dsa::{Degree, Degree512, Degree1024};
use crate::auth::token::signature::randomness::{self, Generator};
use crate::auth::token::signature::{Conformance, SignatureScheme, every_variant};
use crate::registry::Part;

#[test]
fn the_authors_known_answers_come_out() {
    let answer = "71009cd3bc68f5061608ab541e9ae27ba0263c42fad97c112825075176d539d0";
    assert_eq!(answer_of::<Degree512>(), bytes(answer));
    let answer = "51bec3b8ca2565a94b2f1ad7bdc5f3844170495f235b8ea87fdae7e6d3b9dcb6";
    assert_eq!(answer_of::<Degree1024>(), bytes(answer));
}

/// As the tests of `fn-dsa` 0.4.0 define it: SHA3-256 of both keys and a signature that come from one short seed.
fn answer_of<D: Degree>() -> Vec<u8> {
    let mut seeds = SHAKE256::new();
    seeds.inject(&[u8::try_from(D::LOGN).unwrap(), 0, 0, 0, 0]);
    seeds.flip();
    let (mut private, mut public) = (vec![0; sign_key_size(D::LOGN)], vec![0; vrfy_key_size(D::LOGN)]);
    let mut signature = vec![0; signature_size(D::LOGN)];
    let (mut of_keys, mut of_signature) = (vec![0; 32], vec![0; 40]);
    seeds.extract(&mut of_keys);
    seeds.extract(&mut of_signature);
    D::Generator::default().keygen(D::LOGN, &mut given(of_keys), &mut private, &mut public);
    let context = DomainContext(b"domain");
    let mut key = D::Private::decode(&private).unwrap();
    let signed = key.sign(&mut given(of_signature), &context, &HASH_ID_RAW, b"message", &mut signature);
    assert!(signed.is_some());
    assert!(D::Public::decode(&public).unwrap().verify(&signature, &context, &HASH_ID_RAW, b"message"));
    let mut hash = SHA3_256::new();
    for part in [private, public, signature] {
        hash.update(&part);
    }
    hash.digest().to_vec()
}

/// A generator that gives these bytes and no more.
fn given(bytes: Vec<u8>) -> Generator<impl FnMut(&mut [u8]) -> bool> {
    let mut rest = bytes.into_iter();
    Generator(move |wanted: &mut [u8]| {
        wanted.iter_mut().all(|byte| {
            rest.next().is_some_and(|next| {
                *byte = next;
                true
            })
        })
    })
}

#[test]
fn a_key_is_taken_with_and_without_the_hash_that_the_library_keeps() {
    for (alg, logn) in [("FN-DSA-512", Degree512::LOGN), ("FN-DSA-1024", Degree1024::LOGN)] {
        let scheme = Part::<dyn SignatureScheme>::named(alg).unwrap();
        let (mut private, mut public) = (vec![0; sign_key_size(logn)], vec![0; vrfy_key_size(logn)]);
        let mut generator = fn_dsa::KeyPairGeneratorStandard::default();
        generator.keygen(logn, &mut randomness::system(), &mut private, &mut public);
        let without_hash = &private[..private.len() - 64];
        for private in [&private[..], without_hash] {
            let key = PrivateJwk::akp(alg, &public, private);
            let signature = scheme.signer(&key).unwrap().sign(b"message").unwrap();
            assert!(scheme.verifier(&key.public).unwrap().verifies(b"message", &signature), "{alg}");
        }
        let other = scheme.generate().unwrap().public;
        let KeyMaterial::AlgorithmKeyPair { public } = &other.material else { panic!("{other:?}") };
        assert!(scheme.signer(&PrivateJwk::akp(alg, public, without_hash)).is_err(), "{alg}");
    }
}

/// A key in Falcon's form, in which the examples of draft-ietf-cose-falcon are. It was made of one of this program's by
/// another one, from the definitions alone: h is the g / f of section 3.4.1 of Falcon's specification.
const OF_FALCON: [&str; 2] = [
    "CR0w0MCDQ3BdpKGpHEwNr8gpEIOhcqnYaHmKDr0j2esgzO0Bjv2JGPBZTyhCmbXRJEI4DO4QkZnyGvTYYOKD47kdduE9XKIM9YUx\
     apsvrFT0Y6_jNHLefvQsb6co0l5wjJFyEIrMe-mhl4uez8eX0tmbwLaxzx5ZEv1zd2OqOo-Id9epzNkUcFzWf12WFborFrKcKkS9\
     oBQFzNCBRM5kQdInbva7kx7rJRXU55SrKUM-eYEZHSrGMFDAaPxKrlsAeAIlVR6dPuJBu4XiJ-rNaktNCKx4wLlOpUEftPJEFtyR\
     h6BsNvab7WRYs4Aboq1SxSw2QlwUOl1Ht82DFktpRidS0cWkWUwr_MzzIwTZSWBl9n2gOtmCj1NdNIuRq6mJBpmJO6CEtp44nAWl\
     l8aj1inmlqsaGXC5UIrfpDqqNwglxQQScBonVdwoWAJxwhLM7qI0eKXfVltH9BWikU61RZyNoR4PCEQUhYRD2-FKOVgCOyJSpgbZ\
     Yq3ST0mJt1PaEdslNmUL5M_BJH0Ey3JbX3IGCnQJBwpHXZaVuVMgsLrSe6IbAGmG1st2x80RPPQXLNlGClUj5lQTKW2B7bUozzIV\
     knQrj5gCnmwWhjuep2AGnlQMlBVj6APKBtlZOZgTM-lqnF-MxbvqCiwZGUza--Juj6ETIQCnfjum3au1nWG3JFVlUt60MtzmYazl\
     pY0Y_uqelX0C8W5BYE5SaqaJochJgaUODyLID1ZC6n-YMm9foRVK1vgSt7SgSjTfhIlmxCkkG49LnQYWgc_gAiXdqvJGBfUsGGR3\
     pZbMBLR7hFfe7Jla56R1XFm9FQXrZOE_MqJtexlge460NhAALLwLeq95clg5p8yZYiAimyhc6YOfXykFmQSbmNmnI0D1RKjZX6Je\
     AMVsaHZOCj44S2ariYQEMrPLKl4gqLsZ4pyggOoW5ta1qFy7Jo6ojoRkyXf7ZSBqgCGErypRKXQxiLOOqIeRdqG40r5XnN_ZMsYf\
     SnoSVwOi2yz9m9dxmQ6O_seUTNa5Y1UbFPTE4pB1AYdeyHVnzCgm96ooXvEkZ6bHzTIR4Xgmj1VtyoKl-00JRpVsECnv25bOXKqw\
     Y487UoHRNik2njLZNkSPHDq4mEir0mGEpmLp-w5kATC--ovYnCccPtVLBnaqMPGQG1t6AJUssbCMQBbwsGC0p_lG9ZVZkw1b",
    "WQAw_Rv_PvfwggxwxQPvhPQ-vffvfQ-_vwPBfPCufQQxAxAxAP_fPAxvgfRv_yBBPvu--xexAd_ughg_xPg_xggvvgRwBPhe_vxP\
     fgfwARg-BwiBwQAxQR_RxCeBPxfBPPfRefQ__BxA_fPBOQgwwPQAvAQgPggxQRvvPOxSQQRAAROgPhgfvRw_hQQQgRAe_vfgA_wA\
     _QgQQhABRfAfvffvwvwggAOvPeA_uPQfvfx_fw__vgwPhfORfPBQOhBwBQgfQBvfPOgQ__gvfgwvOv_vAvxAwAPge_Owgu_xuwf_\
     vvRQAvRPxfPQwAfPQgQPQffxguO-_vgh9wwggAfwCP_u_RvPRAQu-vxBRyw_AB_whQvfugQxBARffyPRQe_hQx_QOyexxAPxBvgA\
     xO-uhifBhvgh-gQgRugfyRCwvAgQPxPevwxufvfAwhQx_fQOvxQRfBQ_BAfRfvwPQAweP_QfhQBPBwRewuQQffvPiPgP_iRAQ-vg\
     PwvhAPhRAPgfQfuRdwOAPAehwCe-PxSP-_fewwQA-RA___whCQ_ugiABPufwfBgyBQvgAROgBPhPPRweQgQwv_fwvgvPvQuQ_Qf_\
     __wPAge-f-hQPvhhwBBghugPgROhP__O-QPfgexvvfQ__eR_Qgf-hBuxPggOhwevwPwO_-_uuug-_vAgRhBAf_AAAvSPRxeQw_fw\
     AOvfQhPRR_wgf_eAAexfgBQv-wRPxhfQfwAQSQ_xeQvShPAiRQ__OQOwQQvgvxRgfwOgv_wvPAPxxhAvQQ_v_AfgARPxBQghAwQQ\
     feQAwgeggQyAvQwhwAPw_-Awggw_gvxQAg_fwQQfwOwxwggAA-hwffwtRvew_Q_ifuv_feQBgQPwfwxvhgPyAhAvvgRAAev_gwAh\
     ggfv9_wAwwhhP-wA_vwdA_gwwiPRAeg_Aghg__QQwgvuPQwfP_tAwQvgguARvi-_uPeRAAABPP9-ewB_hQQAQBQghPhQhQ__vgO_\
     CP-_B_v-Qf-vgQ_AQO_wQeAfwBnoGQkeFSD37xID-DYdQSoI8-b87Qz_-ukq8ukR-fAn_yENCxjp9uMG5Az68tIMDyLdEen4-xIH\
     8PkYD-4LIRT1Gh_b4TACGSQgBff-6uTo8BsG8_nyC-riCv_8Jefl__rjO8oGFQ0N3ia9Efv3BPr43wDl6A8I-Q34-T3W2NkN--8B\
     4OwMsgHk9Cgq0MHD6tYiDubW6dnjKQkRAPIu__IZEg7k_9L74toyHwIZByMB6hT9EOfw8db0DREZ--v_1u8GCfruB9ICISjmMfwC\
     D_MI8BjzHub8Bf0LCQMCFv8GBff7DOf45RPjGRIUHgz-CewP3uARGg0kFwUXFhQZFAEZ4CkoCFn6-voTBvcJ9gD21hE9IQof1wES\
     JfX9Ke_3CvTnEen_GPMqORMD7-_e5cw10-AOAhRI_g8s_iYJHB4HEfns9BIkFfQf6wYK9hviJNrgB93dPhn-_QvrCMYXBwDdBvbz\
     9T_x-RMs_vcC4RQO_Sv71wMF1T4HFvP45MbRDjYRzPy9Ewsh9Cje3_cmHO8C--Er9fceBQYrEe0iAwvnI_UgC-jVAfTn3fXuG-Lo\
     8gAhD_r6AfMH-RLjzu7-4h3z3AQP-RQfDDb-6eoQB_AXJ_nsAQ0ECu8AEPXO9-n4Chvs_g0PLwDf-wb0_eHZuAYsBOXZ4_jSA_QO\
     DRsNr__M",
];

#[test]
fn a_key_in_the_form_of_falcon_is_taken_and_signs_as_in_that_of_the_library() {
    let [public, private] = OF_FALCON.map(|text| decode(text).unwrap());
    let key = PrivateJwk::akp("FN-DSA-512", &public, private.as_slice());
    let scheme = Part::<dyn SignatureScheme>::named("FN-DSA-512").unwrap();
    let signature = scheme.signer(&key).unwrap().sign(b"message").unwrap();
    let verifier = scheme.verifier(&key.public).unwrap();
    assert!(verifier.verifies(b"message", &signature) && !verifier.verifies(b"massage", &signature));
    let mut damaged = private.clone();
    damaged[1_000] ^= 2;
    assert!(scheme.signer(&PrivateJwk::akp("FN-DSA-512", &public, damaged)).is_err());
}

#[test]
fn fn_dsa_is_not_called_conforming_before_its_standard_is_published() {
    for scheme in every_variant().filter(|scheme| scheme.alg().starts_with("FN-DSA")) {
        assert!(matches!(scheme.facts().conformance, Conformance::Unverified { .. }), "{scheme}");
    }
}
