using System.Text;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

/// <summary>Random texts through the reference's own engine.</summary>
public sealed class ReferenceEngineTests
{
    // What stages turn on: letters of all planes, marks in any order, kinds of digits and spaces, quotes, added tokens.
    private static readonly string[] s_fragments =
    [
        "a", "Z", "é", "e\u0301", "日", "𝒜", "𠀀", "1", "٣", "½", "²", "①", "𝟘", " ", "  ", "\t", "\r\n", "\n", "\u00A0", "\u3000",
        "\u0085", "'",
        "'s", "'S", "'ſ", "'t", "'re", "'LL", "!", "…", "_", "\u0301", "\u0323", "\u200B", "\u200D", "🤖", "👩\u200D🚀", "the",
        " the", "king", "Mars", "İ", "ß", "ſ", "\u212A", "ﬁ", "ﬁ\u0301", "ǅ", "한국", "ข้าว", "हिन्दी", "<s>", "</s>", "[MASK]",
        "<mask>",
        "<|endoftext|>", "<unk>", "▁", "``", "''", "\u0001", "\uFFFD", "\uFEFF", "\u2028", "(", ")", ".", ",", "?", "$", "+", "<", "ы",
        "Ω", "\u2126", "\u212B", "ｶﾞ", "か\u3099", "㍿", "Ⅳ", "ー", "カ", "ひ", "£", "€", "TokA", "TokE", "tokm", " TokF ", "<a b>",
    ];

    [Theory]
    [MemberData(nameof(ReferenceEngine.Folders), MemberType = typeof(ReferenceEngine))]
    public void Random_texts_have_the_tokens_of_the_reference_engine(string folder)
    {
        var random = new Random(11);
        ReferenceEngine.AssertEqual(folder, Enumerable.Range(0, 150).Select(_ => RandomText(random)));
    }

    private static string RandomText(Random random)
    {
        var text = new StringBuilder();
        for (int count = random.Next(1, 12); count > 0; count--)
            text.Append(s_fragments[random.Next(s_fragments.Length)]);
        return text.ToString();
    }
}
