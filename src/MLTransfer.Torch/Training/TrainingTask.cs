using System.Text.Json.Nodes;
using MLTransfer.Torch.Training.Ranks;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>What a run trains: a task brings players, what happens in a step, evaluation, and what is kept of it in files.</summary>
/// <typeparam name="TReport">What it reports.</typeparam>
internal abstract class TrainingTask<TReport> : IDisposable
    where TReport : RunProgress, ITrainingReport<TReport>
{
    /// <summary>The processes that share the run.</summary>
    public RunRanks Ranks { get; set; } = RunRanks.Alone;

    /// <summary>The weights that the run begins with and may go back to.</summary>
    public abstract IEnumerable<KeyValuePair<string, Tensor>> Weights { get; }

    /// <summary>All that <see cref="Restore"/> takes: what rank 0 sends to ranks that have no files.</summary>
    public virtual IEnumerable<KeyValuePair<string, Tensor>> RestoredWeights => Weights;

    /// <summary>What is trained: one player, or two networks that play against each other.</summary>
    public abstract IReadOnlyList<Player> Players { get; }

    /// <summary>What a resumed run needs beside weights, optimizers and the number of steps; null for nothing.</summary>
    public virtual JsonNode? State => null;

    /// <summary>The axis of <c>loss.png</c>.</summary>
    public virtual string LossLabel => "Loss";

    /// <summary>
    /// A hash of all that makes the run's result but for what <see cref="Save"/> keeps; see <see cref="RunFingerprint"/>.
    /// </summary>
    public abstract string Fingerprint();

    /// <summary>Brings the network into the state in which it is trained, before its weights are read.</summary>
    public virtual void Begin()
    {
    }

    /// <summary>Long work before the first step, with the weights that the run goes on from.</summary>
    /// <param name="folder">For files that the task deletes itself.</param>
    /// <param name="step">Steps done before.</param>
    /// <param name="cancellationToken">Checked while it lasts.</param>
    public virtual void Prepare(string folder, int step, CancellationToken cancellationToken)
    {
    }

    /// <summary>The report of an evaluation that belongs to no step.</summary>
    /// <param name="step">Steps done before.</param>
    public abstract TReport ReportAfter(int step);

    /// <summary>Makes the updates of a step.</summary>
    /// <returns>The report, in which the run fills in steps in all, speed and times.</returns>
    public abstract TReport RunStep(TrainingStep step);

    /// <summary>How much a step takes of what speed is told in, such as tokens.</summary>
    public abstract long AmountOf(int[] rows);

    /// <summary>Measures the weights as they are now.</summary>
    /// <returns>The report with what was found.</returns>
    public abstract TReport Evaluate(TReport report, CancellationToken cancellationToken);

    /// <summary>Called after the run has put other weights in the place of those of the last step, or these back.</summary>
    public virtual void WeightsChanged()
    {
    }

    /// <summary>
    /// Answers the run's samples with the weights as they are now. Draws nothing from where training draws, and leaves the network ready
    /// for the next step.
    /// </summary>
    /// <param name="step">Steps done.</param>
    /// <param name="cancellationToken">Checked while it lasts.</param>
    public virtual IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken) => [];

    /// <summary>Called after a report has gone out, and before the run is saved.</summary>
    public virtual void Reported(TReport report)
    {
    }

    /// <summary>Called where a run is asked to end before its last step, after it was saved.</summary>
    /// <param name="report">The last one, of the step or of an evaluation after it.</param>
    public virtual void Stop(TReport report)
    {
    }

    /// <summary>Called after the last step, with the weights that the run ends with.</summary>
    public virtual void Complete(CancellationToken cancellationToken)
    {
    }

    /// <summary>
    /// Writes weights, and what makes them a whole model, into the folder of a saved run; optimizers and <see cref="State"/> are the run's
    /// to write.
    /// </summary>
    public abstract void Save(string folder);

    /// <summary>Takes the weights in the folder of a saved run: all, or none where a file is damaged.</summary>
    /// <exception cref="InvalidDataException">A file is damaged or of another model.</exception>
    public abstract void Restore(string folder);

    /// <summary>Takes what <see cref="State"/> was. Called before <see cref="Restore"/>.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public virtual void RestoreState(JsonNode? state)
    {
    }

    /// <summary>Deletes what another run of the kind left in the folder, beyond the files that every run writes.</summary>
    public virtual void DeleteFiles(string folder)
    {
    }

    /// <summary>The lines of <c>loss.png</c>.</summary>
    public abstract IEnumerable<LossCurve> Curves(IReadOnlyList<TReport> history);

    /// <summary>Leaves the network as it is when it is not trained. The folder of <see cref="Prepare"/> is still there.</summary>
    public virtual void End()
    {
    }

    /// <summary>Frees the optimizers.</summary>
    public abstract void Dispose();
}
