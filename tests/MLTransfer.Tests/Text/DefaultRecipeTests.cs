using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Text;

public class DefaultRecipeTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void One_text_is_cut_at_other_places_in_the_second_epoch_and_not_in_the_first()
    {
        const RowPacking packing = RowPacking.Concatenated; // whose rows are all full, as those are of which borders move
        string[] text = [string.Concat(TestData.Stories(8).Select(story => story.Text))];
        Assert.Equal(Weights(text, 1, moves: false, packing), Weights(text, 1, moves: true, packing));
        Assert.NotEqual(Weights(text, 2, moves: false, packing), Weights(text, 2, moves: true, packing));
    }

    [Fact]
    public void Texts_that_stand_apart_have_no_borders_to_move()
    {
        string[] texts = [.. TestData.Stories(8).Select(story => story.Text!)];
        Assert.Equal(Weights(texts, 2, moves: false, RowPacking.Packed), Weights(texts, 2, moves: true, RowPacking.Packed));
    }

    private byte[] Weights(string[] texts, int epochs, bool moves, RowPacking packing)
    {
        var options = TextGeneratorPipelineTests.Tiny(o =>
        {
            (o.MaximumLength, o.ValidationFraction, o.RowPacking, o.AppendEndOfSequence) = (32, 0, packing, false);
            o.Training = TextGeneratorOptions.DefaultTraining with { NumberOfEpochs = epochs, MoveBorders = moves };
        });
        var rows = _ml.Data.LoadFromEnumerable(texts.Select(text => new Row { Text = text }));
        using var model = _ml.Transforms.Text.FineTuneTextGenerator("Out", "Text", options: options).Fit(rows);
        return TransformerWeights.Bytes(model);
    }

    private sealed class Row
    {
        public string Text { get; set; } = "";
    }
}
