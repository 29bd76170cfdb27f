namespace MLTransfer.Experiments;

/// <content>Settings.</content>
public sealed partial class AutoMLExperiment
{
    /// <summary>What an experiment is told, which its methods set.</summary>
    public sealed class AutoMLExperimentSettings
    {
        /// <summary>Decides what tuners draw; null for the seed of the context, else a random one.</summary>
        public int? Seed { get; set; }

        /// <summary>What is searched.</summary>
        public SearchSpace SearchSpace { get; set; } = new();

        /// <summary>The time of all trials together; null for no limit.</summary>
        public uint? MaxExperimentTimeInSeconds { get; set; }

        /// <summary>The number of trials; null for no limit.</summary>
        public int? MaxModels { get; set; }

        /// <summary>The tokens that language models are trained on; null for no limit.</summary>
        public long? MaxTokens { get; set; }

        /// <summary>The memory of the process above which a trial is ended; null for no limit.</summary>
        public double? MaximumMemoryUsageInMegaByte { get; set; }

        /// <summary>
        /// Trials at a time in processes of their own; 0 for one after another in this process, null for a process each where that can be.
        /// </summary>
        public int? TrialProcesses { get; set; }

        /// <summary>Milliseconds between two looks at what a trial uses.</summary>
        public int CheckIntervalInMilliseconds { get; set; } = 100;

        /// <summary>Where all that happens is kept; null for nowhere.</summary>
        public string? CheckpointFolder { get; set; }

        /// <summary>Steps between checkpoints of trainings whose options say nothing; 0 for none.</summary>
        public int CheckpointSteps { get; set; }
    }
}
