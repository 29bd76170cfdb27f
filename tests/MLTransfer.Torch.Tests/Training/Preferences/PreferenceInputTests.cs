using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Preferences;

/// <summary>Options and pairs of preference tuning.</summary>
public class PreferenceInputTests
{
    public static TheoryData<PreferenceTrainingOptions, string> Refused => new()
    {
        { new() { Beta = 0 }, nameof(PreferenceTrainingOptions.Beta) },
        { new() { LabelSmoothing = 0.5 }, nameof(PreferenceTrainingOptions.LabelSmoothing) },
        { new() { LabelSmoothing = 0.1, Loss = PreferenceLoss.Hinge }, nameof(PreferenceLoss.Robust) },
        { new() { Loss = (PreferenceLoss)9 }, nameof(PreferenceTrainingOptions.Loss) },
        { new() { Reference = (PreferenceReference)9 }, nameof(PreferenceTrainingOptions.Reference) },
        { new() { LabelSmoothingFactor = 0.1 }, nameof(PreferenceTrainingOptions.LabelSmoothing) },
        { new() { ZLossWeight = 0.1 }, nameof(PreferenceTrainingOptions.ZLossWeight) },
        { new() { MoveBorders = true }, nameof(PreferenceTrainingOptions.MoveBorders) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Options_that_do_not_fit_are_refused_by_name(PreferenceTrainingOptions options, string named)
    {
        using var model = TinyRun.LoadModel();
        Assert.Contains(
            named, Assert.ThrowsAny<ArgumentException>(() => new PreferenceTrainer(model, options, TinyPairs.Training)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_for_pairs_is_refused_for_texts()
    {
        using var model = TinyRun.LoadModel();
        Assert.Contains(nameof(PreferenceTrainingOptions), Assert.Throws<ArgumentException>(
            () => new LanguageModelTrainer(model, new PreferenceTrainingOptions(), TinyRun.Rows)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pairs_that_do_not_fit_are_refused_with_their_number()
    {
        using var model = TinyRun.LoadModel();
        var (pair, good) = (TinyPairs.Training[0], TinyPairs.Training);
        Assert.Contains("Pair 10", Message([.. good, pair with { Rejected = null! }]), StringComparison.Ordinal);
        Assert.Contains("Row 1 ", Message([pair, pair with { Chosen = new([1, 5000], [-100, 5000]) }]), StringComparison.Ordinal);
        Assert.Contains("Pair 0", Message([pair with { Chosen = new([1, 2], [-100, -100]) }]), StringComparison.Ordinal);
        Assert.Contains("packed", Message([pair with { Chosen = pair.Chosen with { SequenceIds = pair.Chosen.InputIds } }]),
            StringComparison.Ordinal);
        Assert.Contains("no pair", Message([]), StringComparison.Ordinal);
        using var masked = TransformerNetwork.Load(RepositoryFiles.Data("families/bert-tiny"));
        Assert.Contains("writes none", Assert.Throws<ArgumentException>(
            () => new PreferenceTrainer(masked, new PreferenceTrainingOptions(), good)).Message, StringComparison.Ordinal);

        string Message(IReadOnlyList<PreferencePair> pairs) => Assert.ThrowsAny<ArgumentException>(
            () => new PreferenceTrainer(model, new PreferenceTrainingOptions(), pairs)).Message;
    }

    [Fact]
    public void The_prompt_is_what_all_three_begin_with_and_long_texts_lose_their_end()
    {
        var pair = PreferencePair.FromWholeTexts([1, 2, 3], [1, 2, 9, 8, 7], [1, 2, 6], maximumLength: 4)!;
        Assert.Equal([1, 2, 9, 8], pair.Chosen.InputIds);
        Assert.Equal([-100, -100, 9, 8], pair.Chosen.Labels);
        Assert.Equal([-100, -100, 6], pair.Rejected.Labels);
        Assert.Null(PreferencePair.FromWholeTexts([1, 2, 3, 4], [1, 2, 3, 4, 5], [1, 2, 3, 4, 6], maximumLength: 4));
        Assert.Null(PreferencePair.FromWholeTexts([1, 2], [1, 2], [1, 2, 3], maximumLength: 4)); // nothing is said
    }

    [Theory]
    [InlineData(PreferenceLoss.Sigmoid, 0.3)]
    [InlineData(PreferenceLoss.Robust, 0.2)]
    [InlineData(PreferenceLoss.IdentityPreference, 0)]
    [InlineData(PreferenceLoss.LengthNormalizedSigmoid, 0)]
    [InlineData(PreferenceLoss.Hinge, 0)]
    public void Slopes_are_the_derivatives_of_the_loss(PreferenceLoss loss, double smoothing)
    {
        var objective = new PreferenceObjective(loss, Beta: 0.7, smoothing);
        var pair = new PreferencePair(
            new TrainingExample([1, 2, 3, 4], [-100, 2, 3, 4]), new TrainingExample([1, 5, 6], [-100, 5, 6]));
        foreach (var margin in (double[])[-900, -2, 0.3, 1, 5, 900])
        {
            objective.Of(pair, new(margin, 0.4), new(0.1, 0.2), out var slopes);
            Assert.Equal((Loss(margin + 1e-4, 0.4) - Loss(margin - 1e-4, 0.4)) / 2e-4, slopes.Chosen, 1e-5);
            Assert.Equal((Loss(margin, 0.4001) - Loss(margin, 0.3999)) / 2e-4, slopes.Rejected, 1e-5);
        }

        double Loss(double chosen, double rejected) => objective.Of(pair, new(chosen, rejected), new(0.1, 0.2), out _).Loss;
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 0.05)]
    [InlineData(ScalarType.Float64, 1e-5)] // as on a graphics processor
    public void Losses_of_rows_are_the_same_in_every_type_and_add_up(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        var logits = linspace(-3, 3, 35).view(5, 7).sin();
        var targets = arange(5, dtype: ScalarType.Int64);
        var expected = CrossEntropy.OfRows(logits.clone(), targets);
        Assert.Equal(CrossEntropy.Sum(logits.clone(), targets), expected.Sum(), 1e-5);
        Assert.All(expected.Zip(CrossEntropy.OfRows(logits.to(type), targets)), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }

    [Fact]
    public void Log_probabilities_are_those_of_the_logits_whatever_stands_beside_a_text()
    {
        using var model = TinyRun.LoadModel();
        var alone = TinyPairs.Training.Select(pair =>
            TextLogProbabilities.Measure(model, [pair], 1, TestContext.Current.CancellationToken)[0]).ToList();
        var together = TextLogProbabilities.Measure(model, TinyPairs.Training, 10, TestContext.Current.CancellationToken);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        foreach (var (index, pair) in TinyPairs.Training.Index())
        {
            var ids = tensor(pair.Chosen.InputIds.Select(id => (long)id).ToArray()).unsqueeze(0);
            var scores = nn.functional.log_softmax(model.ComputeLogits(model.ComputeHiddenStates(new ModelInput(ids))), 2);
            var expected = Enumerable.Range(1, pair.Chosen.InputIds.Length - 1)
                .Where(i => pair.Chosen.Labels[i] != TrainingExample.Ignored)
                .Sum(i => scores[0, i - 1, pair.Chosen.InputIds[i]].item<float>());
            Assert.Equal(expected, alone[index].Chosen, 1e-3);
            Assert.Equal(expected, together[index].Chosen, 1e-3);
            Assert.Equal(alone[index].Rejected, together[index].Rejected, 1e-3);
        }
    }
}
