using System.Text.Json.Serialization;
using MLTransfer.Torch.Collectives;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training;

/// <summary>What every training run is told. Each kind of training has a class of its own, which says where its defaults differ.</summary>
public abstract record TrainingOptions
{
    private protected TrainingOptions()
    {
    }

    /// <summary>Rows of one forward and backward pass (<c>per_device_train_batch_size</c>); 8 where not said otherwise.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>The peak learning rate (<c>learning_rate</c>).</summary>
    public double LearningRate { get; init; }

    /// <summary>
    /// The number format of matrix products and convolutions (<c>bf16</c>). Weights and the optimizer are float32 in any case.
    /// <see cref="Precision.Float32"/> gives the numbers of a reference in float32.
    /// </summary>
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>
    /// The threads that compute, from 1 to 1024; 0 for as many as libtorch takes (<c>OMP_NUM_THREADS</c> where it is set, else one a
    /// physical core) unless fewer are measured to be clearly faster. The last bits of sums may depend on it. A run that is resumed keeps
    /// its number unless this names one.
    /// </summary>
    public int Threads { get; init; }

    /// <summary>Decides all that is drawn at random: the order of rows, dropout, noise (<c>seed</c>).</summary>
    public long Seed { get; init; } = 42;

    /// <summary>
    /// Where checkpoints, <c>metrics.jsonl</c>, <c>loss.png</c>, <c>answers.jsonl</c> and <c>run.html</c> go; null for none of them
    /// (<c>output_dir</c>).
    /// </summary>
    /// <remarks>
    /// <c>run.html</c> is a page over the run that is written anew at each evaluation: curves, answers to samples, time left, options. It
    /// opens from disk, without a script or anything from elsewhere.
    /// A folder belongs to one run: another one in it, of any process, is refused while the first goes on (<see cref="IOException"/>).
    /// Without <see cref="Resume"/>, a new run begins by deleting the checkpoints, metrics, plot, answers and page of the run that used the
    /// folder before, as transformers' <c>overwrite_output_dir</c> does; other files stay.
    /// </remarks>
    public string? OutputDirectory { get; init; }

    /// <summary>How many checkpoints are kept, the newest; 0 for all (<c>save_total_limit</c>).</summary>
    public int CheckpointLimit { get; init; }

    /// <summary>
    /// Go on from the newest checkpoint in <see cref="OutputDirectory"/> where there is one (<c>resume_from_checkpoint</c>), or start anew
    /// where there is none. Rows, options and model must be those that the checkpoint was made with.
    /// </summary>
    public bool Resume { get; init; }

    /// <summary>
    /// Whether the numbers of <c>metrics.jsonl</c> and the answers to samples also go into event files for TensorBoard, in the folder
    /// <c>tensorboard</c> of <see cref="OutputDirectory"/> (<c>report_to</c>).
    /// </summary>
    public bool TensorBoard { get; init; }

    /// <summary>
    /// The most memory that the process may take, in bytes; null for what it has and what is free when training begins. A training whose
    /// estimate (<see cref="TrainingMemory"/>) is above it is refused before it begins; <see cref="long.MaxValue"/> trains anyway.
    /// </summary>
    public long? MemoryLimit { get; init; }

    /// <summary>
    /// The processes that train together, each making this same call with the same data; null for this one alone. A step has
    /// <see cref="BatchSize"/> rows of each rank in every pass, gradients are added up, and all ranks end with the same weights to the bit.
    /// Rank 0 alone writes files, reads checkpoints and decides what is computed with; where a rank fails or is cancelled, all are ended
    /// (<see cref="ICollective.Abort"/>).
    /// </summary>
    [JsonIgnore]
    public ICollective? Collective { get; init; }

    /// <summary><see cref="OutputDirectory"/> where this process writes files; null on all ranks but the first.</summary>
    internal string? OwnDirectory => Collective is null or { Rank: 0 } ? OutputDirectory : null;

    /// <summary>The name of the option that says how often there is a checkpoint.</summary>
    internal abstract string CheckpointOption { get; }

    /// <summary>The options that write files, each with whether it is set.</summary>
    private protected abstract IEnumerable<(string Name, bool IsSet)> FileOptions { get; }

    /// <summary>Options beyond those of every run that do not change the weights a run ends with.</summary>
    internal abstract IEnumerable<string> IrrelevantToWeights { get; }

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal virtual void Check()
    {
        OptionRange.AtLeast(nameof(BatchSize), BatchSize, 1);
        OptionRange.NotNegative(nameof(LearningRate), LearningRate);
        OptionRange.Defined(nameof(Precision), Precision);
        OptionRange.Between(nameof(Threads), Threads, 0, ThreadCount.Maximum);
        OptionRange.AtLeast(nameof(CheckpointLimit), CheckpointLimit, 0);
        OptionRange.AtLeast(nameof(MemoryLimit), MemoryLimit ?? 1, 1);
        if (OutputDirectory is not null && string.IsNullOrWhiteSpace(OutputDirectory))
            throw new ArgumentException($"{nameof(OutputDirectory)} is empty; expected a folder, or null for no files.",
                nameof(OutputDirectory));
        foreach (var (name, isSet) in FileOptions.Concat([(nameof(Resume), Resume), (nameof(TensorBoard), TensorBoard)]))
        {
            if (isSet && OutputDirectory is null)
                throw new ArgumentException($"{name} needs {nameof(OutputDirectory)}, the folder of the files.", nameof(OutputDirectory));
        }
    }
}
