using System.CommandLine;
using static Samples.SampleProgram;

namespace AudioGeneration;

/// <summary>The program's command line.</summary>
internal sealed class AudioGenerationCommand : RootCommand
{
    public readonly Option<SampleTask> Task = Option(
        "--task", "task", "Music: tunes in a scale that the model does not know; Speech: a voice that it does not know", SampleTask.Music);

    public readonly Option<string?> Model = Option<string?>(
        "--model", "folder", "of a MusicGen or a VITS in Hugging Face layout; without it the embedded model of the task");

    public readonly Option<int?> Steps = Option<int?>("--steps", "count", "updates; without it as many as take two to three minutes");

    public readonly Option<double?> LearningRate = Option<double?>("--learning-rate", "rate", "the peak learning rate");

    public readonly Option<int> Seed = Option("--seed", "number", "makes the run repeatable", 1);

    public readonly Option<string> Output = Option(
        "--output", "folder", "for WAV files and spectrograms, the model zip, run.html and metrics.jsonl",
        Path.Combine("output", "audio-generation"));

    public AudioGenerationCommand()
        : base("Fine-tunes a pretrained generator of music or speech and lets one hear, and measures, what changed.")
    {
        foreach (var option in (Option[])[Task, Model, Steps, LearningRate, Seed, Output])
            Add(option);
    }
}
