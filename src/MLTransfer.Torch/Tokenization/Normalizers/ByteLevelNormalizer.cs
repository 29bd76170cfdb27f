using System.Text;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>Writes each byte of the text's UTF-8 as the character that stands for it in <see cref="ByteLevelAlphabet"/>.</summary>
internal sealed class ByteLevelNormalizer : INormalizer
{
    public void Normalize(AlignedText text)
    {
        AlignedTextWriter writer = text.Rewrite(text.Length);
        Write(text, 0, text.Length, writer);
        text.Take(writer);
    }

    /// <summary>Writes the bytes of a part of a text; those of one character share its span.</summary>
    public static void Write(AlignedText text, int start, int end, AlignedTextWriter writer)
    {
        Span<byte> bytes = stackalloc byte[4];
        for (int unit = start; unit < end;)
        {
            Rune rune = text.RuneAt(unit);
            foreach (byte value in bytes[..rune.EncodeToUtf8(bytes)])
                writer.Insert(ByteLevelAlphabet.CharacterOf(value), unit);
            unit += rune.Utf16SequenceLength;
        }
    }
}
