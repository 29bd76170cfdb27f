using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Microsoft.ML.OnnxRuntime;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Writing;

/// <summary>Rotations that change beyond 16 positions: with past key values up to there, without them beyond too.</summary>
[Collection(ProcessWideState.Name)]
public sealed class RotationByLengthExportTests : IDisposable
{
    private const int Limit = 16;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama-tiny-dynamic", "positions_below_max_position_embeddings")]
    [InlineData("phi3-tiny", "positions_below_original_max_position_embeddings")]
    public void A_graph_with_a_past_reads_up_to_the_length_and_a_longer_text_is_an_error_that_names_the_entry(string name, string entry)
    {
        using var model = Export(name, new OnnxExportOptions { Check = false });
        using var session = LogitComparison.Open(_folder["export"]);

        Assert.InRange(LogitComparison.LargestDifference(model, session, 1, [0, 3], Limit - 4, 3, 1), 0, 1e-4);

        using var scope = NewDisposeScope();
        var (next, mask) = (ones(2, 1, ScalarType.Int64), ones(2, Limit + 1, ScalarType.Int64));
        var message = Assert.Throws<OnnxRuntimeException>(() => session.Run(next, mask, next * Limit)).Message;
        Assert.Contains(entry, message, StringComparison.Ordinal);
        Assert.Contains("out of data bounds", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("llama-tiny-dynamic")]
    [InlineData("phi3-tiny")]
    public void A_graph_without_a_past_goes_by_the_length_of_its_pass(string name)
    {
        using var model = Export(name, new OnnxExportOptions { FileWithoutPast = true });
        using var session = LogitComparison.Open(_folder["export"], OnnxExporter.WithoutPastFileName);
        foreach (var length in (int[])[3, Limit - 1, Limit, Limit + 1, 40, 64])
            Assert.InRange(LogitComparison.LargestDifference(model, session, length, [0, 2], length), 0, 1e-4);
    }

    [Theory]
    [InlineData("llama-tiny-dynamic")]
    [InlineData("phi3-tiny")]
    public void Texts_that_may_grow_over_the_length_are_refused_before_they_are_read(string name)
    {
        using var model = Export(name, new OnnxExportOptions { Check = false });
        var options = new OnnxRuntimeOptions { ThreadCount = 1 };
        using var decoder = new OnnxDecoder(OnnxExportFiles.Find(_folder["export"], options), options);
        var (engine, generator) = (new TokenGenerator(model), new TokenGenerator(decoder, null, null));
        int[][] prompts = [[5, 9, 11, 20, 3, 8], [7, 4]];

        Assert.Equal(
            Tokens(engine, Limit + 1 - prompts[0].Length), Tokens(generator, Limit + 1 - prompts[0].Length)); // the last is not read

        var message = Assert.Throws<NotSupportedException>(() => Tokens(generator, Limit + 2 - prompts[0].Length)).Message;
        Assert.Contains("may grow to 17 positions", message, StringComparison.Ordinal);
        Assert.Contains(nameof(GenerationOptions.MaximumNewTokens), message, StringComparison.Ordinal);

        IReadOnlyList<IReadOnlyList<int>> Tokens(TokenGenerator with, int count) =>
        [
            .. with.Generate(
                prompts, new GenerationOptions { MaximumNewTokens = count, EndOfSequenceIds = [] }, TestContext.Current.CancellationToken)
                .Select(sequences => sequences[0].TokenIds),
        ];
    }

    private CausalLanguageModel Export(string name, OnnxExportOptions options)
    {
        var model = (CausalLanguageModel)FamilyFolders.Load(name);
        OnnxExporter.Export(model, null, _folder["export"], options);
        return model;
    }
}
