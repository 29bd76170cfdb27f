using MLTransfer.Models;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Models;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Tests.ForeignClients;

/// <summary>
/// A loop around plain ONNX Runtime, in the build for Node.js and in the WebAssembly build that browsers get, continues token ids as the engine does.
/// </summary>
public sealed class OnnxRuntimeJsTests : IDisposable
{
    private const int Count = 30;

    private readonly CausalLanguageModel _model = CausalLanguageModel.Load(TalesModel.Folder);
    private readonly TextTokenizer _tokenizer = TextTokenizer.Load(TalesModel.Folder);
    private readonly TemporaryFolder _folder = new();
    private readonly int[][] _prompts;

    public OnnxRuntimeJsTests()
    {
        _model.eval();
        _prompts = [.. new[] { "The old king rode over the hill, and all his people", "Once", "She said to the" }.Select(prompt => _tokenizer.Encode(prompt))];
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("onnxruntime-node", false)]
    [InlineData("onnxruntime-node", true)]
    [InlineData("onnxruntime-web", false)]
    public void Token_ids_of_a_padded_batch_equal_the_engines(string runtime, bool fusedOperators)
    {
        NodeInstallation.Require();
        Export(new OnnxExportOptions { FusedOperators = fusedOperators });
        Assert.Equal(Generate(new TokenGenerator(_model)), Continue(runtime, [_prompts]));
    }

    [Theory]
    [InlineData("onnxruntime-node", OnnxPrecision.Int8)]
    [InlineData("onnxruntime-node", OnnxPrecision.Int4)]
    [InlineData("onnxruntime-web", OnnxPrecision.Int8)]
    public void Token_ids_of_a_quantized_file_equal_those_in_NET(string runtime, OnnxPrecision precision)
    {
        NodeInstallation.Require();
        Export(new OnnxExportOptions { Precision = precision });
        using var generator = OnnxTextGenerator.Load(_folder["export"]);
        // Activations are quantized by the range that they have in the whole batch, so each prompt is one.
        Assert.Equal(Generate(generator.TokenGenerator), Continue(runtime, [.. _prompts.Select(prompt => (int[][])[prompt])]));
    }

    private void Export(OnnxExportOptions options) =>
        OnnxExporter.Export(_model, _tokenizer, _folder["export"], options with { Check = false });

    private int[][] Generate(TokenGenerator generator)
    {
        var options = new GenerationOptions { MaximumNewTokens = Count, EndOfSequenceIds = [], BatchSize = 1 };
        return [.. generator.Generate(_prompts, options).Select(texts => texts[0].TokenIds.ToArray())];
    }

    private int[][] Continue(string runtime, int[][][] batches) =>
    [
        .. NodeProgram.Run<int[][][]>("decode.mjs", new { runtime, file = _folder["export/model.onnx"], batches, count = Count })
            .SelectMany(batch => batch),
    ];
}
