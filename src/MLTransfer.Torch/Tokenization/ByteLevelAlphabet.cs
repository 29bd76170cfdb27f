using System.Text;

namespace MLTransfer.Torch.Tokenization;

/// <summary>
/// GPT-2's way to write any bytes as printable characters in vocabulary files: bytes that are printable in Latin-1 stand for
/// themselves, the other 68 for U+0100 onwards in byte order (`bytes_to_unicode` of the GPT-2 release). A space is 'Ġ'.
/// </summary>
internal static class ByteLevelAlphabet
{
    private const int CharacterCount = 256 + 68;
    private static readonly char[] s_characters = new char[256];
    private static readonly short[] s_bytes = new short[CharacterCount];

    static ByteLevelAlphabet()
    {
        Array.Fill(s_bytes, (short)-1);
        int next = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            char character = (char)(printable ? value : next++);
            s_characters[value] = character;
            s_bytes[character] = (short)value;
        }
    }

    /// <summary>The character that stands for a byte.</summary>
    public static char CharacterOf(byte value) => s_characters[value];

    /// <summary>
    /// The bytes that a token stands for. A token with a character outside the alphabet (an added token with a space, say) stands
    /// for its own UTF-8.
    /// </summary>
    public static byte[] BytesOf(string token)
    {
        byte[] bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            int value = token[i] < CharacterCount ? s_bytes[token[i]] : -1;
            if (value < 0)
                return Encoding.UTF8.GetBytes(token);
            bytes[i] = (byte)value;
        }

        return bytes;
    }
}
