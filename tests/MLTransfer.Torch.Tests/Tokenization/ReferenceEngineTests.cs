using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Torch.Tokenization;
using Tokenizers.DotNet;
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

    public static TheoryData<string> Folders =>
    [
        .. ReferenceArchive.Kinds.Where(kind => !kind.StartsWith("truncation", StringComparison.Ordinal)),
        .. ReferenceArchive.Folders("stages/", "tokenizer.json"),
    ];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Random_texts_have_the_tokens_of_the_reference_engine(string folder)
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64,
            "The engine is there for Linux on x64.");
        TextTokenizer tokenizer = ReferenceArchive.Alone(folder);
        string path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "tokenizer.json");
        try
        {
            File.WriteAllBytes(path, ReferenceArchive.Bytes(folder + "/tokenizer.json"));
            var engine = new Tokenizer(path);
            var random = new Random(11);
            for (int run = 0; run < 150; run++)
            {
                var text = new StringBuilder();
                for (int count = random.Next(1, 12); count > 0; count--)
                    text.Append(s_fragments[random.Next(s_fragments.Length)]);

                int[] expected = [.. engine.Encode(text.ToString()).Select(id => (int)id)];
                Assert.Equal(expected, tokenizer.Encode(text.ToString()));
                Assert.Equal(engine.Decode([.. expected.Select(id => (uint)id)]), tokenizer.Decode(expected, skipSpecialTokens: true));
            }
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }
}
