using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Images;

/// <summary>What a run does to train a network that writes codes of pictures. A saved run is the model, or its adapters.</summary>
internal sealed class TextToImageTask : TrainingTask<TextToImageProgress>
{
    private readonly TextToImageModel _model;
    private readonly TextToImageTrainingOptions _options;
    private readonly TextToImageRows _rows;
    private readonly ScalarType? _computeType;
    private readonly Player _player;
    private readonly IReadOnlyList<DropoutSource> _dropout;

    /// <param name="model">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="rows">To train on and to evaluate with.</param>
    /// <param name="computeType">The type of matrix products; null for that of the weights.</param>
    public TextToImageTask(TextToImageModel model, TextToImageTrainingOptions options, TextToImageRows rows, ScalarType? computeType)
    {
        (_model, _options, _rows, _computeType) = (model, options, rows, computeType);
        _player = new Player("", OptimizerFactory.Create(options, LanguageTask.Trained(model)))
        {
            MaximumGradientNorm = options.MaximumGradientNorm,
        };
        _dropout = [.. model.modules().OfType<GenerativeNetwork>().Append(model).Select(part => part.DropoutSource).Distinct()];
    }

    /// <summary>Saved with every run, so that a saved run is a complete model; null for none.</summary>
    public TextTokenizer? Tokenizer { get; init; }

    public override IEnumerable<KeyValuePair<string, Tensor>> Weights => NetworkWeights.Of(_model);

    public override IReadOnlyList<Player> Players => [_player];

    public override string LossLabel => "Loss (nats)";

    public override string Fingerprint()
    {
        using var fingerprint = new RunFingerprint(_options);
        fingerprint.AddText(_model.Configuration.ToJsonString());
        fingerprint.AddJson(_model.Lora);
        NetworkWeights.AddTo(fingerprint, _model);
        _rows.AddTo(fingerprint);
        return fingerprint.Value;
    }

    public override void Begin() => _model.ComputeType = _computeType;

    public override TextToImageProgress ReportAfter(int step) => new()
    {
        Step = step, Epoch = (double)step / _rows.Schedule.StepsPerEpoch,
    };

    public override TextToImageProgress RunStep(TrainingStep step)
    {
        _model.train();
        _model.Codec.eval();
        var draws = _dropout.Select((source, index) => step.SeedDropout(source, step.Index * _dropout.Count + index)).ToList();
        try
        {
            var sums = new Dictionary<string, double>();
            var update = step.Update(_player, [step.Rows.Length], pass =>
            {
                var batch = TextToImageBatch.Create(_model, [.. pass.Rows.Select(row => _rows.Training(row, step.Index))]);
                var loss = batch.SumLosses(_model, sums) / pass.Normalizers[0];
                loss.backward();
                return loss.item<float>();
            });
            Ranks.Sum(sums);
            _model.WriteTokenRows();
            return new TextToImageProgress
            {
                Step = step.Index + 1,
                Epoch = (step.Index + 1.0) / _rows.Schedule.StepsPerEpoch,
                Loss = update.Loss,
                LossParts = sums.ToDictionary(sum => sum.Key, sum => sum.Value / step.Rows.Length),
                GradientNorm = update.GradientNorm,
                LearningRate = update.LearningRate,
            };
        }
        finally
        {
            draws.ForEach(draw => draw.Dispose());
        }
    }

    public override void WeightsChanged() => _model.WriteTokenRows();

    public override long AmountOf(int[] rows) => rows.Length;

    public override TextToImageProgress Evaluate(TextToImageProgress report, CancellationToken cancellationToken) => report with
    {
        Validation = TextToImageEvaluator.Evaluate(
            _model, _rows.Validation, _options.EvaluationBatchSize ?? _options.BatchSize, Ranks, cancellationToken),
    };

    public override IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken)
    {
        var prompts = _options.SamplePrompts;
        if (prompts.Count == 0)
            return [];
        var options = _options.SampleGeneration ?? new ImageGenerationOptions();
        options = options with { Seed = options.Seed ?? _options.Seed };
        var made = new TextToImageGenerator(_model, Tokenizer)
            .Generate([.. prompts.Select(ImagePrompt.FromText)], options, cancellationToken: cancellationToken);
        IEnumerable<SampleAnswer> grid = prompts.Count == 1 ? []
            : [new MediaAnswer($"{prompts.Count} captions", MediaAnswer.Picture, CaptionedGrid.ToPng(made, prompts))];
        return
        [
            .. grid, .. prompts.Zip(made, (prompt, picture) =>
                new MediaAnswer(prompt, MediaAnswer.Picture, CaptionedGrid.ToPng([picture], captions: null))),
        ];
    }

    public override void Save(string folder)
    {
        NetworkWeights.Save(_model, folder);
        Tokenizer?.Save(folder);
    }

    public override void Restore(string folder)
    {
        NetworkWeights.Restore(_model, folder);
        _model.WriteTokenRows();
    }

    public override IEnumerable<LossCurve> Curves(IReadOnlyList<TextToImageProgress> history) =>
    [
        new("training", history.Where(p => p.Loss is not null).Select(p => (p.Step, p.Loss!.Value))),
        new(
            "validation", history.Where(p => p.Validation is not null).Select(p => (p.Step, p.Validation!.Loss)), HasMarkers: true),
    ];

    public override void End()
    {
        _model.eval();
        _model.WriteTokenRows(); // the run may have gone back to others
        _model.ComputeType = null;
        NetworkWeights.ClearGradients(_model);
    }

    public override void Dispose() => _player.Dispose();
}
