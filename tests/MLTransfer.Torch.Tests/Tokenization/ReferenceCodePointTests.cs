using System.Text;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

/// <summary>Characters of all of Unicode through the reference's own engine, which knows some by old tables and some by new ones.</summary>
public sealed class ReferenceCodePointTests
{
    /// <summary>Marks and letters whose properties differ from one version of Unicode to the next.</summary>
    private static readonly int[] s_disputed =
    [
        0x7FD, 0x8D3, 0x9FE, 0xD3B, 0x1DF6, 0x1ABF, 0x1AC7, 0x10D24, 0x10F46, 0x11839, 0x1734, 0x1885, 0xA9BD, 0x111C9, 0x1171E, 0x1C89,
        0xA7CB, 0xA7CC, 0xA7CE, 0xA7D2, 0xA7D4, 0xA7DA, 0xA7DC, 0x10D50, 0x10D65, 0x16EA0, 0x16EB8,
    ];

    [Theory]
    [MemberData(nameof(ReferenceEngine.Folders), MemberType = typeof(ReferenceEngine))]
    public void Characters_of_all_blocks_have_the_tokens_of_the_reference_engine(string folder)
    {
        var random = new Random(23);
        IEnumerable<string> texts = s_disputed.SelectMany(value => (string[])[$"a\u0301{new Rune(value)}b", $"a{new Rune(value)}\u0316 C"]);
        ReferenceEngine.AssertEqual(folder, texts.Concat(Enumerable.Range(0, Mutation.Rounds(100)).Select(_ => RandomText(random))));
    }

    /// <summary>Characters of one block, of the lower ones, or of all, with words between.</summary>
    private static string RandomText(Random random)
    {
        int block = random.Next(0x110000) & ~0x7F;
        int kind = random.Next(3);
        var text = new StringBuilder();
        for (int count = random.Next(1, 30); count > 0; count--)
        {
            int value = kind == 0 ? block + random.Next(0x80) : random.Next(1, kind == 1 ? 0x3000 : 0x110000);
            if (random.Next(5) == 0)
                text.Append(" the ");
            else if (Rune.IsValid(value) && value > 0)
                text.Append(new Rune(value));
        }

        return text.ToString();
    }
}
