using MLTransfer.Torch.Training;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary>What <c>ml.Generation.Evaluate</c> measures is what a run measures on the same rows.</summary>
public sealed class TextEvaluationTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(RowPacking.None, null, null)]
    [InlineData(RowPacking.None, false, 20)]
    [InlineData(RowPacking.Packed, null, null)]
    [InlineData(RowPacking.Packed, null, 20)]
    [InlineData(RowPacking.Packed, false, null)]
    [InlineData(RowPacking.Concatenated, null, null)]
    [InlineData(RowPacking.Concatenated, true, 20)]
    public void The_loss_of_texts_is_the_runs_validation_loss(RowPacking packing, bool? endOfSequence, int? length)
    {
        var validation = _ml.Data.LoadFromEnumerable(Texts(6)); // some longer than the context
        AssertSame(validation, "Text", o => (o.RowPacking, o.AppendEndOfSequence, o.MaximumLength) = (packing, endOfSequence, length));
    }

    [Theory]
    [InlineData(RowPacking.None)]
    [InlineData(RowPacking.Packed)]
    public void The_loss_of_completions_is_the_runs_validation_loss(RowPacking packing)
    {
        var validation = _ml.Data.LoadFromEnumerable(Texts(6));
        AssertSame(validation, null, o => (o.RowPacking, o.CompletionColumnName) = (packing, "Text"));
    }

    [Fact]
    public void A_model_that_was_not_trained_is_measured_as_one_that_is_trained_by_default()
    {
        var validation = _ml.Data.LoadFromEnumerable(Texts(6));
        using var untrained = _ml.Generation.LoadPretrained(TestData.TinyModel);
        using var transformer = _ml.Transforms.Text.GenerateText("Out", "Opening", TestData.TinyModel).Fit(validation);
        using var trained = Fit(validation, "Text", o => { });

        var expected = trained.TrainingResult!.InitialValidationLoss!.Value;

        Assert.Equal(expected, _ml.Generation.Evaluate(untrained, validation, "Text").Loss, 1e-9);
        Assert.Equal(expected, _ml.Generation.Evaluate(transformer, validation, "Text").Loss, 1e-9);
        Assert.NotEqual(expected, trained.TrainingResult.ValidationLoss!.Value, 1e-3);
    }

    private void AssertSame(IDataView validation, string? trainingColumn, Action<TextGeneratorOptions> change)
    {
        using var model = Fit(validation, trainingColumn, change);
        var expected = model.TrainingResult!.ValidationLoss!.Value;
        Assert.NotEqual(expected, model.TrainingResult.InitialValidationLoss!.Value, 1e-3);

        var found = _ml.Generation.Evaluate(model, validation);

        Assert.Equal(expected, found.Loss, 1e-9);
        _ml.Model.Save(model, validation.Schema, _folder["model.zip"]);
        Assert.Equal(found, _ml.Generation.Evaluate(_ml.Model.Load(_folder["model.zip"], out _), validation));
    }

    private TextGeneratorTransformer Fit(IDataView validation, string? trainingColumn, Action<TextGeneratorOptions> change) =>
        _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", trainingColumn, TextGeneratorPipelineTests.Tiny(o =>
        {
            o.ValidationData = validation;
            o.Training = o.Training with { Precision = Precision.Float32 };
            change(o);
        })).Fit(_ml.Data.LoadFromEnumerable(TestData.Stories(8)));

    private static IEnumerable<Story> Texts(int count) => Enumerable.Range(0, count).Select(i => new Story
    {
        Opening = $"Text {i}:",
        Text = string.Concat(Enumerable.Repeat($" The old man {i} looked at the planet.", 1 + 4 * i)),
    });
}
