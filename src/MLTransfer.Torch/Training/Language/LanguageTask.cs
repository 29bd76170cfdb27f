using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>What a run does to train a language model on tokens that it predicts.</summary>
internal sealed class LanguageTask : TransformerTask
{
    private readonly LanguageTrainingOptions _options;
    private readonly LanguageRows _rows;

    /// <param name="model">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="rows">To train on and to evaluate with.</param>
    /// <param name="computeType">The type of matrix products; null for that of the weights.</param>
    public LanguageTask(TransformerNetwork model, LanguageTrainingOptions options, LanguageRows rows, ScalarType? computeType)
        : base(model, options, rows.Schedule, computeType) => (_options, _rows) = (options, rows);

    public override string LossLabel => "Cross-entropy (nats a token)";

    public override long AmountOf(int[] rows) => rows.Sum(row => (long)_rows.TokenCount(row));

    public override TrainingProgress Evaluate(TrainingProgress report, CancellationToken cancellationToken) => report with
    {
        ValidationLoss = Evaluator.Evaluate(
            Model, _rows.Validation, _options.EvaluationBatchSize ?? _options.BatchSize, Ranks, cancellationToken).Loss,
    };

    protected override void AddRows(RunFingerprint fingerprint) => _rows.AddTo(fingerprint);

    protected override (UpdateResult Update, PreferenceMetrics? Preferences) Update(TrainingStep step)
    {
        // As transformers does, the sum is divided by the labels that count, each row's first included although nothing predicts it; but
        // not where they are smoothed.
        var examples = step.Rows.ToDictionary(row => row, row => _rows.Training(row, step.Index));
        double labels = examples.Values.Sum(row => _options.LabelSmoothingFactor > 0 ? row.PredictedTokens : row.LabelCount);
        return (step.Update(Player, [labels], pass =>
        {
            using var checkpoints = Recomputation(step, pass);
            var batch = TrainingBatch.Create([.. pass.Rows.Select(row => examples[row])], Model.Device);
            return LanguageModelLoss.Backward(
                Model, batch, 1.0 / pass.Normalizers[0], checkpoints, Frozen, new LossRegularization(
                    new CrossEntropyTerms(_options.LabelSmoothingFactor, _options.ZLossWeight),
                    Noise(step, pass.Rows.Select(row => (ulong)row))));
        }), null);
    }
}
