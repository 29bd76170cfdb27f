using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Images;

/// <summary>What a run does to train a discrete VAE. A saved run is the codec's folder.</summary>
internal sealed class DiscreteVaeTask : TrainingTask<DiscreteVaeProgress>
{
    /// <summary>What the seeds of noise are for; see <see cref="TrainingStep.Seed"/>.</summary>
    private const ulong NoiseSeeds = 4;

    private readonly DiscreteVaeModel _model;
    private readonly DiscreteVaeTrainingOptions _options;
    private readonly ImageSet _images;
    private readonly ImageSet? _validation;
    private readonly DiscreteVaeSchedule _schedule;
    private readonly int _stepsPerEpoch;
    private readonly DiscreteVaeUpdates _updates;

    /// <param name="model">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="images">The rows.</param>
    /// <param name="validation">To evaluate with; null for none.</param>
    /// <param name="schedule">The numbers of each step.</param>
    /// <param name="stepsPerEpoch">How many steps go through all rows.</param>
    public DiscreteVaeTask(
        DiscreteVaeModel model, DiscreteVaeTrainingOptions options, ImageSet images, ImageSet? validation, DiscreteVaeSchedule schedule,
        int stepsPerEpoch)
    {
        (_model, _options, _images, _validation) = (model, options, images, validation);
        (_schedule, _stepsPerEpoch) = (schedule, stepsPerEpoch);
        _updates = new DiscreteVaeUpdates(model, options);
    }

    public override IEnumerable<KeyValuePair<string, Tensor>> Weights => NetworkWeights.Of(_model);

    public override IReadOnlyList<Player> Players => [_updates.Player];

    public override string LossLabel => "Distance of decoded pictures";

    /// <summary>Weights that are trained are left out: a saved run brings all of them back.</summary>
    public override string Fingerprint()
    {
        using var fingerprint = new RunFingerprint(_options);
        fingerprint.AddText(_model.Configuration.ToJsonString());
        NetworkWeights.AddTo(fingerprint, _model);
        fingerprint.AddFrozen("images", _images.Pixels);
        if (_validation is not null)
            fingerprint.AddFrozen("validation", _validation.Pixels);
        return fingerprint.Value;
    }

    public override DiscreteVaeProgress ReportAfter(int step) => new() { Step = step, Epoch = (double)step / _stepsPerEpoch };

    public override DiscreteVaeProgress RunStep(TrainingStep step)
    {
        _model.train();
        var (temperature, klWeight) = (_schedule.Temperature(step.Index), _schedule.KlWeight(step.Index));
        var side = _images.Resolution / _model.DownsamplingFactor;
        var losses = _updates.Run(step, temperature, klWeight, pass =>
        {
            long[] seeds = [.. pass.Rows.Select(row => (long)step.Seed(NoiseSeeds, (ulong)step.Index, (ulong)row))];
            return (Take(_images, pass.Rows), CodewordDraw.Noise(seeds, [_model.CodebookSize, side, side], _model.Device));
        });
        return new DiscreteVaeProgress
        {
            Step = step.Index + 1,
            Epoch = (step.Index + 1.0) / _stepsPerEpoch,
            Loss = losses.Update.Loss,
            ReconstructionLoss = losses.Reconstruction,
            KlDivergence = losses.Divergence,
            KlWeight = klWeight,
            Temperature = temperature,
            Perplexity = losses.Perplexity,
            UsedShare = losses.UsedShare,
            GradientNorm = losses.Update.GradientNorm,
            LearningRate = losses.Update.LearningRate,
        };
    }

    public override long AmountOf(int[] rows) => rows.Length;

    public override DiscreteVaeProgress Evaluate(DiscreteVaeProgress report, CancellationToken cancellationToken)
    {
        _model.eval();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var count = _validation!.Count;
        var sums = new double[2]; // of distances and of errors
        var uses = zeros(_model.CodebookSize, dtype: ScalarType.Int64, device: _model.Device);
        foreach (var part in Ranks.Share([.. Enumerable.Range(0, count)]).Chunk(_options.EvaluationBatchSize ?? _options.BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var images = Take(_validation, part);
            var input = _model.Layout.Normalize(images);
            var codes = _model.Layout.Logits(input).argmax(1);
            var output = _model.Layout.DecodeCodes(codes);
            sums[0] += _updates.Distance(output, input).item<float>() * part.Length / count;
            sums[1] += (_model.Layout.ToImages(output) - images).square().mean().item<float>() * part.Length / count;
            uses.add_(codes.flatten().bincount(null, _model.CodebookSize));
        }

        Ranks.Sum(sums);
        uses = CodebookUse.Sum(uses, counts => Ranks.Sum(counts));
        return report with
        {
            ValidationLoss = sums[0],
            ValidationPixelError = sums[1],
            ValidationPerplexity = CodebookUse.Perplexity(uses),
            ValidationUsedShare = CodebookUse.Share(uses),
        };
    }

    public override IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken)
    {
        _model.eval();
        using var gradients = no_grad();
        var pictures = _validation ?? _images;
        var answers = new List<SampleAnswer>();
        for (var index = 0; index < Math.Min(_options.SampleImages, pictures.Count); index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var image = Take(pictures, [index]);
            var both = cat([image, _model.Decode(_model.Encode(image))], 3)[0].cpu(); // side by side: [3, R, 2 R]
            var pixels = (both * 255).round().to(ScalarType.Byte).permute(1, 2, 0);
            answers.Add(new MediaAnswer($"picture {index}", MediaAnswer.Picture, PngPicture.Encode(pixels)));
        }

        return answers;
    }

    public override void Save(string folder) => NetworkWeights.Save(_model, folder);

    public override void Restore(string folder) => NetworkWeights.Restore(_model, folder);

    public override IEnumerable<LossCurve> Curves(IReadOnlyList<DiscreteVaeProgress> history) =>
    [
        new(
            "training",
            history.Where(p => p.ReconstructionLoss is not null).Select(p => (p.Step, p.ReconstructionLoss!.Value))),
        new(
            "validation", history.Where(p => p.ValidationLoss is not null).Select(p => (p.Step, p.ValidationLoss!.Value)),
            HasMarkers: true),
    ];

    public override void End() => _model.eval();

    public override void Dispose() => _updates.Dispose();

    /// <summary>Rows of pictures in [0, 1]: [rows, 3, R, R].</summary>
    private Tensor Take(ImageSet images, int[] rows)
    {
        using var scope = NewDisposeScope();
        return ((images.Take(rows, _model.Device) + 1) / 2).MoveToOuterDisposeScope();
    }
}
