// The JDK as a second opinion. Reads one request a line and answers each in one line: an operation
// of AWS KMS by its names, everything else hex.

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.EdDSAParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;

public class Peer {
  private static final HexFormat HEX = HexFormat.of();

  public static void main(String[] args) throws Exception {
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    System.out.println("ready");
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      try {
        System.out.println(answer(line.split(" ")));
      } catch (Exception error) {
        System.out.println("error " + error);
      }
    }
  }

  private static String answer(String[] words) throws Exception {
    return switch (words[0]) {
      case "generate" -> generate(words[1]);
      case "sign" -> hex(sign(words[1], HEX.parseHex(words[2]), HEX.parseHex(words[3])));
      case "verify" -> String.valueOf(verify(words[1], HEX.parseHex(words[2]),
          HEX.parseHex(words[3]), HEX.parseHex(words[4])));
      case "encrypt" -> hex(encrypt(words[1], HEX.parseHex(words[2]), HEX.parseHex(words[3])));
      case "decrypt" -> hex(oaep(words[1], Cipher.DECRYPT_MODE, privateKey("RSA", HEX.parseHex(words[2])),
          HEX.parseHex(words[3])));
      case "wrap" -> hex(wrap(words[1], HEX.parseHex(words[2]), HEX.parseHex(words[3])));
      case "mac" -> hex(mac(words[1], HEX.parseHex(words[2]), HEX.parseHex(words[3])));
      case "seal" -> hex(gcm(Cipher.ENCRYPT_MODE, words));
      case "unseal" -> unseal(words);
      case "derive" -> hex(derive(HEX.parseHex(words[1]), HEX.parseHex(words[2])));
      default -> throw new IllegalArgumentException(words[0]);
    };
  }

  private static String hex(byte[] bytes) {
    return HEX.formatHex(bytes);
  }

  private static String generate(String spec) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(
        spec.startsWith("RSA") ? "RSA" : spec.endsWith("25519") ? "Ed25519" : "EC");
    switch (spec) {
      case "RSA_2048" -> generator.initialize(2048);
      case "ECC_NIST_P256" -> generator.initialize(new ECGenParameterSpec("secp256r1"));
      case "ECC_NIST_P384" -> generator.initialize(new ECGenParameterSpec("secp384r1"));
      case "ECC_NIST_P521" -> generator.initialize(new ECGenParameterSpec("secp521r1"));
      default -> { }
    }
    KeyPair pair = generator.generateKeyPair();
    return hex(pair.getPrivate().getEncoded()) + " " + hex(pair.getPublic().getEncoded());
  }

  private static PrivateKey privateKey(String family, byte[] pkcs8) throws Exception {
    return KeyFactory.getInstance(family).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
  }

  private static PublicKey publicKey(String family, byte[] spki) throws Exception {
    return KeyFactory.getInstance(family).generatePublic(new X509EncodedKeySpec(spki));
  }

  private static String family(String algorithm) {
    if (algorithm.startsWith("RSA")) return "RSA";
    return algorithm.startsWith("ECDSA") ? "EC" : "Ed25519";
  }

  /** The number of bits at the end of an algorithm's name. */
  private static String bits(String algorithm) {
    return algorithm.substring(algorithm.lastIndexOf('_') + 1);
  }

  private static Signature signature(String algorithm) throws Exception {
    String digest = "SHA" + bits(algorithm);
    if (algorithm.startsWith("RSASSA_PKCS1")) return Signature.getInstance(digest + "withRSA");
    if (algorithm.startsWith("ECDSA")) return Signature.getInstance(digest + "withECDSA");
    if (algorithm.startsWith("ED25519")) return Signature.getInstance("Ed25519");
    String hash = "SHA-" + bits(algorithm);
    Signature pss = Signature.getInstance("RSASSA-PSS");
    pss.setParameter(new PSSParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash),
        Integer.parseInt(bits(algorithm)) / 8, 1));
    return pss;
  }

  private static byte[] sign(String algorithm, byte[] pkcs8, byte[] message) throws Exception {
    Signature signature = signature(algorithm);
    if (algorithm.startsWith("ED25519_PH")) signature.setParameter(new EdDSAParameterSpec(true));
    signature.initSign(privateKey(family(algorithm), pkcs8));
    signature.update(message);
    return signature.sign();
  }

  private static boolean verify(String algorithm, byte[] spki, byte[] message, byte[] signed)
      throws Exception {
    Signature signature = signature(algorithm);
    if (algorithm.startsWith("ED25519_PH")) signature.setParameter(new EdDSAParameterSpec(true));
    signature.initVerify(publicKey(family(algorithm), spki));
    signature.update(message);
    try {
      return signature.verify(signed);
    } catch (SignatureException error) {
      return false;
    }
  }

  private static byte[] encrypt(String algorithm, byte[] spki, byte[] plaintext) throws Exception {
    return oaep(algorithm, Cipher.ENCRYPT_MODE, publicKey("RSA", spki), plaintext);
  }

  private static byte[] oaep(String algorithm, int mode, Key key, byte[] data) throws Exception {
    String hash = "SHA-" + bits(algorithm);
    Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
    cipher.init(mode, key, new OAEPParameterSpec(
        hash, "MGF1", new MGF1ParameterSpec(hash), PSource.PSpecified.DEFAULT));
    return cipher.doFinal(data);
  }

  private static byte[] wrap(String algorithm, byte[] spki, byte[] material) throws Exception {
    if (!algorithm.startsWith("RSA_AES_KEY_WRAP")) return encrypt(algorithm, spki, material);
    byte[] key = new byte[32];
    new SecureRandom().nextBytes(key);
    Cipher cipher = Cipher.getInstance("AES/KWP/NoPadding");
    cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"));
    ByteArrayOutputStream wrapped = new ByteArrayOutputStream();
    wrapped.write(encrypt(algorithm, spki, key));
    wrapped.write(cipher.doFinal(material));
    return wrapped.toByteArray();
  }

  private static byte[] mac(String algorithm, byte[] key, byte[] message) throws Exception {
    String name = "HmacSHA" + bits(algorithm);
    Mac mac = Mac.getInstance(name);
    mac.init(new SecretKeySpec(key, name));
    return mac.doFinal(message);
  }

  private static byte[] gcm(int mode, String[] words) throws Exception {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, new SecretKeySpec(HEX.parseHex(words[2]), "AES"),
        new GCMParameterSpec(128, HEX.parseHex(words[3])));
    cipher.updateAAD(words[4].equals("-") ? new byte[0] : HEX.parseHex(words[4]));
    return cipher.doFinal(HEX.parseHex(words[5]));
  }

  private static String unseal(String[] words) throws Exception {
    try {
      return hex(gcm(Cipher.DECRYPT_MODE, words));
    } catch (AEADBadTagException error) {
      return "false";
    }
  }

  private static byte[] derive(byte[] pkcs8, byte[] spki) throws Exception {
    KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
    agreement.init(privateKey("EC", pkcs8));
    agreement.doPhase(publicKey("EC", spki), true);
    return agreement.generateSecret();
  }
}
