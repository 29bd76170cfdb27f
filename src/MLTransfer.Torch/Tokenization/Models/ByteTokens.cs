using System.Text;

namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>Tokens such as <c>&lt;0xE2&gt;</c>, which stand for bytes.</summary>
internal static class ByteTokens
{
    public const int None = -1;

    /// <summary>The ids of the 256 tokens, or <see cref="None"/> for one that is not there.</summary>
    public static int[] IdsOf(TokenVocabulary vocabulary) =>
        [.. Enumerable.Range(0, 256).Select(value => vocabulary.Ids.TryGetValue(NameOf((byte)value), out int id) ? id : None)];

    public static string NameOf(byte value) => $"<0x{value:X2}>";

    /// <summary>The byte that a token stands for, or null.</summary>
    public static byte? ByteOf(string token)
    {
        if (token.Length != 6 || !token.StartsWith("<0x", StringComparison.Ordinal) || token[5] != '>')
            return null;

        // A sign is read as Rust reads numbers.
        if (token[3] == '+')
            return char.IsAsciiHexDigit(token[4]) ? Convert.ToByte(token[4..5], 16) : null;
        return char.IsAsciiHexDigit(token[3]) && char.IsAsciiHexDigit(token[4]) ? Convert.ToByte(token[3..5], 16) : null;
    }

    /// <summary>The tokens of a text's UTF-8, where all of them are there.</summary>
    public static bool TryEncode(ReadOnlySpan<char> text, int[] byteIds, out int[] ids)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        ids = [.. bytes.Select(value => byteIds[value])];
        return !ids.Contains(None);
    }
}
