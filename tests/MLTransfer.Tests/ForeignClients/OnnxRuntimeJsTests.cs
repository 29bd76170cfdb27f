using MLTransfer.Models;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.ForeignClients;

/// <summary>
/// A loop around plain ONNX Runtime, in the build for Node.js and in the WebAssembly build that browsers get, continues token ids as the
/// engine does.
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
        _prompts = [.. new[] { "The old king rode over the hill, and all his people", "Once", "She said to the" }.Select(
            prompt => _tokenizer.Encode(prompt))];
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
    [InlineData(OnnxPrecision.Int8)]
    [InlineData(OnnxPrecision.Int4)]
    public void Token_ids_of_a_quantized_file_equal_those_in_NET(OnnxPrecision precision)
    {
        NodeInstallation.Require();
        Export(new OnnxExportOptions { Precision = precision });
        Assert.Equal(GenerateFromExport(), ContinueEachAlone("onnxruntime-node"));
    }

    /// <summary>
    /// WebAssembly rounds a little otherwise, and where an activation falls on the other side of a step of int8, a near tie ends otherwise.
    /// </summary>
    [Fact]
    public void A_browser_continues_an_int8_file_as_NET_does_up_to_a_near_tie()
    {
        NodeInstallation.Require();
        Export(new OnnxExportOptions { Precision = OnnxPrecision.Int8 });
        var expected = GenerateFromExport();
        var actual = ContinueEachAlone("onnxruntime-web");
        for (var i = 0; i < _prompts.Length; i++)
        {
            var same = expected[i].Zip(actual[i]).TakeWhile(pair => pair.First == pair.Second).Count();
            if (same == Count)
                continue;
            using var scope = NewDisposeScope();
            using var gradients = no_grad();
            var logits = _model.Forward(new(tensor([.. _prompts[i], .. expected[i][..same]], ScalarType.Int64).unsqueeze(0)))[0, -1];
            var difference = (logits[expected[i][same]] - logits[actual[i][same]]).abs().item<float>();
            Assert.True(difference < 0.2, $"prompt {i}, token {same}: logits differ by {difference}");
        }
    }

    private void Export(OnnxExportOptions options) =>
        OnnxExporter.Export(_model, _tokenizer, _folder["export"], options with { Check = false });

    private int[][] GenerateFromExport()
    {
        using var generator = OnnxTextGenerator.Load(_folder["export"]);
        return Generate(generator.TokenGenerator);
    }

    private int[][] Generate(TokenGenerator generator)
    {
        var options = new GenerationOptions { MaximumNewTokens = Count, EndOfSequenceIds = [], BatchSize = 1 };
        return [.. generator.Generate(_prompts, options).Select(texts => texts[0].TokenIds.ToArray())];
    }

    /// <summary>Each prompt is a batch of its own: activations are quantized by the range that they have in the whole batch.</summary>
    private int[][] ContinueEachAlone(string runtime) => Continue(runtime, [.. _prompts.Select(prompt => (int[][])[prompt])]);

    private int[][] Continue(string runtime, int[][][] batches) =>
    [
        .. NodeProgram.Run<int[][][][]>(
            "decode.mjs", new { runtime, models = new[] { new { file = _folder["export/model.onnx"], batches } }, count = Count })[0]
            .SelectMany(batch => batch),
    ];
}
