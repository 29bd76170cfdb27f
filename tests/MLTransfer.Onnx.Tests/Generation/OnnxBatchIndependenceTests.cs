using MLTransfer.Models;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Onnx.Tests.Generation;

public sealed class OnnxBatchIndependenceTests
{
    private const int TextCount = 20;

    [Fact]
    public void A_text_of_an_int8_export_does_not_depend_on_its_neighbours()
    {
        using var model = TestModels.Tales();
        using var folder = new TemporaryFolder();
        var options = new OnnxExportOptions { Precision = OnnxPrecision.Int8, Check = false };
        OnnxExporter.Export(model, TextTokenizer.Load(TalesModel.Folder), folder["tales"], options);
        using var generator = OnnxTextGenerator.Load(folder["tales"], new OnnxRuntimeOptions { ThreadCount = 1 });
        var file = Path.Combine(RepositoryFiles.Root, "samples", "TextGeneration", "data", "mars", "test.txt");
        var words = File.ReadAllText(file).Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries);
        // From one word to twenty, so that most are padded.
        string[] prompts = [.. Enumerable.Range(0, TextCount).Select(i => string.Join(' ', words.Skip(50 * i).Take(i + 1)))];
        var generation = new GenerationOptions { MaximumNewTokens = 16 };

        var together = generator.Generate(prompts, generation with { BatchSize = TextCount });

        Assert.Equal(TextCount, together.Count);
        foreach (var (prompt, texts) in prompts.Zip(together))
            Assert.Equal(generator.Generate(prompt, generation), texts[0].Text);
    }
}
