using System.Runtime.InteropServices;
using MLTransfer.Torch.Tokenization;
using Tokenizers.DotNet;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

/// <summary>The reference's own engine beside the tokenizer of the same file.</summary>
internal static class ReferenceEngine
{
    /// <summary>The folders of the reference data whose files the engine reads alone.</summary>
    public static TheoryData<string> Folders =>
    [
        .. ReferenceArchive.Kinds.Where(kind => !kind.StartsWith("truncation", StringComparison.Ordinal)),
        .. ReferenceArchive.Folders("stages/", "tokenizer.json"),
    ];

    /// <summary>Asserts that texts have the engine's tokens, and these the engine's text.</summary>
    public static void AssertEqual(string folder, IEnumerable<string> texts)
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64,
            "The engine is there for Linux on x64.");
        TextTokenizer tokenizer = ReferenceArchive.Alone(folder);
        using var files = new TemporaryFolder();
        File.WriteAllBytes(files["tokenizer.json"], ReferenceArchive.Bytes(folder + "/tokenizer.json"));
        var engine = new Tokenizer(files["tokenizer.json"]);
        foreach (string text in texts)
        {
            int[] expected = [.. engine.Encode(text).Select(id => (int)id)];
            Assert.True(
                expected.SequenceEqual(tokenizer.Encode(text)), $"{folder}: {string.Join(' ', text.Select(unit => $"{(int)unit:X}"))}");
            Assert.Equal(engine.Decode([.. expected.Select(id => (uint)id)]), tokenizer.Decode(expected, skipSpecialTokens: true));
        }
    }
}
