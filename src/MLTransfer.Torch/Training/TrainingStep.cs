using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>One step of a run, as a task is given it: rows, the learning rate, and updates.</summary>
/// <param name="index">Steps done before.</param>
/// <param name="rows">Of the whole step.</param>
/// <param name="learningRate">What the schedule says.</param>
/// <param name="options">Decide on the rows of a pass and the seed.</param>
/// <param name="exchange">The other processes that go through the step's rows; null for this one alone.</param>
/// <param name="cancellationToken">Checked before every pass.</param>
internal sealed class TrainingStep(
    int index, int[] rows, double learningRate, TrainingOptions options, IUpdateExchange? exchange, CancellationToken cancellationToken)
{
    /// <summary>The purpose of the seeds of dropout.</summary>
    public const ulong DropoutSeeds = 1;

    /// <summary>Steps done before.</summary>
    public int Index => index;

    /// <summary>The numbers of the step's rows, in the order of its passes.</summary>
    public int[] Rows => rows;

    /// <summary>Those of them that this process goes through: all, where no other process has a share.</summary>
    public int[] OwnRows { get; } = exchange?.Share(rows) ?? rows;

    /// <summary>A seed that depends on nothing but the run's, this step's number, and a purpose.</summary>
    /// <param name="purpose">Tells streams apart: <see cref="DropoutSeeds"/>, or a number of the task's from 3 on; 2 is for the order of
    /// rows.</param>
    /// <param name="numbers">The step's number as the task counts it, and what more tells its seeds apart.</param>
    public ulong Seed(ulong purpose, params ReadOnlySpan<ulong> numbers) => SplitMix64.Mix([(ulong)options.Seed, purpose, .. numbers]);

    /// <summary>Lets a network draw dropout from a generator of the run's own, until the result is disposed.</summary>
    /// <param name="source">The network's.</param>
    /// <param name="number">The step's number as the task counts it.</param>
    public IDisposable SeedDropout(DropoutSource source, int number) => new DropoutDraws(
        source, exchange is null or { Rank: 0 }
            ? Seed(DropoutSeeds, (ulong)number) : Seed(DropoutSeeds, (ulong)number, (ulong)exchange.Rank));

    /// <summary>Puts sums over all rows of the step in the place of sums over <see cref="OwnRows"/>.</summary>
    public void Sum(Span<double> figures) => exchange?.Sum(figures);

    /// <summary>An update of a player by the gradients of passes through the step's rows.</summary>
    /// <param name="player">What is updated.</param>
    /// <param name="normalizers">Counts over all rows of the step that losses are divided by, such as that of the labels that
    /// count.</param>
    /// <param name="backward">Adds a pass's gradients to the parameters' and returns its share of the loss, both divided by the
    /// normalizers.</param>
    /// <param name="lossName">What a message calls the loss.</param>
    /// <exception cref="TrainingDivergedException">The loss or the gradient is NaN or infinite. No weight has changed.</exception>
    public UpdateResult Update(
        Player player, IReadOnlyList<double> normalizers, Func<TrainingPass, double> backward, string lossName = "loss")
    {
        double loss = 0;
        var parts = OwnRows.Chunk(options.BatchSize).ToList();
        var firstPass = (exchange?.Rank ?? 0) * ((rows.Length + options.BatchSize - 1) / options.BatchSize);
        foreach (var (number, part) in parts.Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            loss += backward(new TrainingPass(firstPass + number, part, normalizers));
            if (parts.Count > 1)
                player.Optimizer.AddUpGradients();
        }

        return Finish(player, normalizers, loss, lossName);
    }

    /// <summary>An update of a player by the gradients that parameters have now.</summary>
    /// <param name="player">What is updated.</param>
    /// <param name="loss">Whose gradients they are.</param>
    /// <param name="lossName">What a message calls the loss.</param>
    /// <exception cref="TrainingDivergedException">The loss or the gradient is NaN or infinite. No weight has changed.</exception>
    public UpdateResult Update(Player player, double loss, string lossName) => Finish(player, [], loss, lossName);

    private UpdateResult Finish(Player player, IReadOnlyList<double> normalizers, double loss, string lossName)
    {
        var optimizer = player.Optimizer;
        loss = exchange?.Complete(player, normalizers, loss) ?? loss;
        var gradientNorm = optimizer.GradientNorm();
        var isFinite = double.IsFinite(loss) && double.IsFinite(gradientNorm);
        var rate = learningRate * player.LearningRateFactor;
        if (isFinite)
            optimizer.Step(rate, player.MaximumGradientNorm > 0 ? Math.Min(1, player.MaximumGradientNorm / (gradientNorm + 1e-6)) : 1);
        optimizer.ClearGradients();
        if (isFinite)
            player.Average?.Update(optimizer.StepCount);
        return isFinite
            ? new UpdateResult(loss, gradientNorm, rate)
            : throw new TrainingDivergedException(index + 1, lossName, loss, gradientNorm);
    }

    private sealed class DropoutDraws : IDisposable
    {
        private readonly DropoutSource _source;
        private readonly Generator _generator;

        public DropoutDraws(DropoutSource source, ulong seed)
        {
            (_source, _generator) = (source, new Generator(seed));
            source.Generator = _generator;
        }

        public void Dispose()
        {
            _source.Generator = null;
            _generator.Dispose();
        }
    }
}
