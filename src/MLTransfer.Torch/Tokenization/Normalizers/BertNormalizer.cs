using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Torch.Tokenization.Texts;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Normalizers;

/// <summary>BERT's clean-up (`BasicTokenizer` of its release, as Hugging Face's tokenizers have it).</summary>
internal sealed class BertNormalizer : INormalizer
{
    private static readonly LowercaseNormalizer s_lowercase = new();

    // By the tables of the reference, which are those of Unicode 8; a few characters have become such marks, or none, since.
    private static readonly CodePointSet s_accents = UnicodeProperties.ByName("Mn")!.Intersect(UnicodeProperties.OfVersion(8))
        .Union(CodePointSet.Of([(0x1734, 0x1734), (0x1171E, 0x1171E)]))
        .Except(CodePointSet.Of([(0x1885, 0x1886), (0xA9BD, 0xA9BD), (0x111C9, 0x111C9)]));

    private static readonly CodePointSet s_controls = UnicodeProperties.ByName("Cc")!.Union(UnicodeProperties.ByName("Cf")!)
        .Intersect(UnicodeProperties.OfVersion(8)).Union(UnicodeProperties.ByName("Co")!).Union(CodePointSet.Of([(0, 0), (0xFFFD, 0xFFFD)]))
        .Except(CodePointSet.Of([('\t', '\n'), ('\r', '\r')]));

    private readonly UnicodeNormalizer? _decompose;

    /// <param name="options">What is done.</param>
    public BertNormalizer(BertNormalizerOptions options)
    {
        Options = options;
        if (options.StripsAccents ?? options.Lowercases)
            _decompose = new UnicodeNormalizer(NormalizationForm.FormD);
    }

    public BertNormalizerOptions Options { get; }

    public void Normalize(AlignedText text)
    {
        if (Options.CleansText)
            Clean(text);
        if (Options.SeparatesChinese)
            SeparateChinese(text);
        if (_decompose is not null)
        {
            _decompose.Normalize(text);
            text.Keep(rune => !s_accents.Contains(rune));
        }

        if (Options.Lowercases)
            s_lowercase.Normalize(text);
    }

    private static void Clean(AlignedText text)
    {
        text.Keep(rune => !s_controls.Contains(rune));
        bool changes = false;
        foreach (Rune rune in text.Units.EnumerateRunes())
            changes |= rune.Value != ' ' && Rune.IsWhiteSpace(rune);
        if (!changes)
            return;
        var cleaned = new List<RuneChange>(text.Length);
        foreach (Rune rune in text.Units.EnumerateRunes())
            cleaned.Add(new RuneChange(Rune.IsWhiteSpace(rune) ? new Rune(' ') : rune, 0));
        text.Transform(CollectionsMarshal.AsSpan(cleaned));
    }

    private static void SeparateChinese(AlignedText text)
    {
        bool changes = false;
        foreach (Rune rune in text.Units.EnumerateRunes())
            changes |= IsChinese(rune.Value);
        if (!changes)
            return;
        var separated = new List<RuneChange>(2 * text.Length);
        foreach (Rune rune in text.Units.EnumerateRunes())
        {
            if (IsChinese(rune.Value))
                separated.AddRange([new RuneChange(new Rune(' '), 0), new RuneChange(rune, 1), new RuneChange(new Rune(' '), 1)]);
            else
                separated.Add(new RuneChange(rune, 0));
        }

        text.Transform(CollectionsMarshal.AsSpan(separated));
    }

    // The reference leaves out U+2B820 to U+2B91F.
    private static bool IsChinese(int value) => value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}
