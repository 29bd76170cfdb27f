using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>
/// What a run does to tune a language model by preferences (direct preference optimization, arXiv 2305.18290): the chosen and the rejected
/// texts of a pass go through the model together.
/// </summary>
internal sealed class PreferenceTask : TransformerTask
{
    private readonly PreferenceTrainingOptions _options;
    private readonly PreferenceRows _rows;
    private readonly PreferenceObjective _objective;
    private ReferenceLogProbabilities? _reference; // null until the run goes on from somewhere

    /// <param name="model">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="rows">To train on and to evaluate with.</param>
    /// <param name="computeType">The type of matrix products; null for that of the weights.</param>
    public PreferenceTask(TransformerNetwork model, PreferenceTrainingOptions options, PreferenceRows rows, ScalarType? computeType)
        : base(model, options, rows.Schedule, computeType) =>
        (_options, _rows, _objective) = (options, rows, PreferenceObjective.Of(options));

    public override string LossLabel => "Loss";

    protected override bool HasDropout => !_options.DisableDropout;

    private int EvaluationBatchSize => _options.EvaluationBatchSize ?? _options.BatchSize;

    public override void Prepare(string folder, int step, CancellationToken cancellationToken)
    {
        base.Prepare(folder, step, cancellationToken);
        if (_reference is not null)
            return; // of the saved run
        using var off = _options.Reference == PreferenceReference.AdaptersOff ? AdapterSwitch.Off(Model) : null;
        _reference = new(
            TextLogProbabilities.Measure(Model, _rows.Training, EvaluationBatchSize, cancellationToken),
            TextLogProbabilities.Measure(Model, _rows.Validation, EvaluationBatchSize, cancellationToken));
    }

    public override long AmountOf(int[] rows) => rows.Sum(row => (long)_rows.Training[row].TokenCount);

    public override TrainingProgress Evaluate(TrainingProgress report, CancellationToken cancellationToken)
    {
        var metrics = PreferenceEvaluator.Compare(
            _objective, _rows.Validation, TextLogProbabilities.Measure(Model, _rows.Validation, EvaluationBatchSize, cancellationToken),
            _reference!.Validation);
        return report with { ValidationLoss = metrics.Loss, ValidationPreferences = metrics };
    }

    public override void Save(string folder)
    {
        base.Save(folder);
        _reference!.Save(folder);
    }

    public override void Restore(string folder)
    {
        var reference = ReferenceLogProbabilities.Load(folder, _rows.Training.Count, _rows.Validation.Count);
        base.Restore(folder);
        _reference = reference;
    }

    protected override void AddRows(RunFingerprint fingerprint) => _rows.AddTo(fingerprint);

    protected override (UpdateResult Update, PreferenceMetrics? Preferences) Update(TrainingStep step)
    {
        var outcomes = new List<PairOutcome>();
        var update = step.Update(Player, [step.Rows.Length], pass =>
        {
            using var checkpoints = Recomputation(step, pass);
            PreferencePair[] pairs = [.. pass.Rows.Select(row => _rows.Training[row])];
            var texts = TextLogProbabilities.Texts(pairs);
            ulong[] numbers = [.. pass.Rows.Select(row => 2 * (ulong)row), .. pass.Rows.Select(row => 2 * (ulong)row + 1)];
            return LanguageModelLoss.Backward(
                Model, TrainingBatch.Create(texts, Model.Device), [.. texts.Select(text => text.PredictedTokens)],
                values => Loss(pass, pairs, [.. TextLogProbabilities.Of(values)], outcomes), checkpoints, Frozen, Noise(step, numbers));
        });
        return (update, PairOutcome.Mean(outcomes));
    }

    /// <summary>The loss of a pass, divided by the pairs of its step, and its derivatives.</summary>
    private (double Loss, double[] Slopes) Loss(
        TrainingPass pass, PreferencePair[] pairs, TextLogProbabilities[] policy, List<PairOutcome> outcomes)
    {
        var (loss, slopes) = (0.0, new double[2 * pairs.Length]);
        foreach (var (index, pair) in pairs.Index())
        {
            var outcome = _objective.Of(pair, policy[index], _reference!.Training[pass.Rows[index]], out var slope);
            outcomes.Add(outcome);
            loss += outcome.Loss / pass.Normalizers[0];
            (slopes[index], slopes[pairs.Length + index]) = (slope.Chosen / pass.Normalizers[0], slope.Rejected / pass.Normalizers[0]);
        }

        return (loss, slopes);
    }
}
