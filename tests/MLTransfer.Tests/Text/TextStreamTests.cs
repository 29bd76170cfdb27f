using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary><c>mlContext.Generation.StreamAsync</c>.</summary>
public sealed class TextStreamTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Theory]
    [InlineData(DecodingPrecision.Float32)]
    [InlineData(DecodingPrecision.Int8)]
    [InlineData(DecodingPrecision.Int4)]
    public async Task Pieces_joined_are_what_Transform_gives_from_several_streams_at_once(DecodingPrecision precision)
    {
        var (model, rows) = Chain(new()
        {
            DecodingPrecision = precision, Generation = new() { MaximumNewTokens = 40, Sample = true, Temperature = 1.5 },
        });
        var expected = model.Transform(rows).GetColumn<string>("Continuation").ToList();

        var streamed = await Task.WhenAll(TestData.Stories(3).Select(story => Task.Run(async () =>
        {
            var pieces = new List<string>();
            await foreach (var piece in _ml.Generation.StreamAsync(model, story.Opening!))
                pieces.Add(piece);
            Assert.True(pieces.Count > 5, "the text does not come in pieces");
            return string.Concat(pieces);
        })));

        Assert.Equal(expected, streamed);
    }

    [Fact]
    public void Beams_several_sequences_and_a_chain_without_a_text_generator_are_refused()
    {
        GenerationOptions[] several = [new() { BeamCount = 2 }, new() { Sample = true, SequencesPerPrompt = 2 }];
        foreach (var generation in several)
        {
            var (model, _) = Chain(new() { Generation = generation });
            Assert.Contains("one sequence", Assert.Throws<InvalidOperationException>(
                () => _ml.Generation.StreamAsync(model, "the red")).Message, StringComparison.Ordinal);
        }

        var copy = _ml.Transforms.CopyColumns("Copy", "Text").Fit(_ml.Data.LoadFromEnumerable(TestData.Stories(1)));
        Assert.Contains("no text generator", Assert.Throws<ArgumentException>(
            () => _ml.Generation.StreamAsync(copy, "the red")).Message, StringComparison.Ordinal);
    }

    private (ITransformer Model, IDataView Rows) Chain(GenerateTextOptions options)
    {
        var rows = _ml.Data.LoadFromEnumerable(TestData.Stories(3));
        return (_ml.Transforms.CopyColumns("Prompt", "Opening")
            .Append(_ml.Transforms.Text.GenerateText("Continuation", "Prompt", TestData.TinyModel, options)).Fit(rows), rows);
    }
}
