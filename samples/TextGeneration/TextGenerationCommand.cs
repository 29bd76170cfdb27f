using System.CommandLine;
using static Samples.SampleProgram;

namespace TextGeneration;

/// <summary>The program's command line.</summary>
internal sealed class TextGenerationCommand : RootCommand
{
    public readonly Option<SampleTask> Task = Option(
        "--task", "task", "Generate: continue a prompt; Infill: fill the [MASK]s of a text", SampleTask.Generate);

    public readonly Option<string?> Model = Option<string?>(
        "--model", "folder", "in Hugging Face layout, or a hub id such as gpt2; without it the model that comes with the library");

    public readonly Option<FileInfo?> Text = Option<FileInfo?>(
        "--text", "file", "the text to learn from, UTF-8, whose last tenth is held out; without it the sample's stories");

    public readonly Option<string?> Prompt = Option<string?>(
        "--prompt", "text", "what the model continues, or the text with [MASK]s that it fills");

    public readonly Option<int> Epochs = Option("--epochs", "count", "times to go through the text", 3);

    public readonly Option<int?> BatchSize = Option<int?>(
        "--batch-size", "count", "rows of the model's context a step; without it the library's recipe");

    public readonly Option<double?> LearningRate = Option<double?>(
        "--learning-rate", "rate", "the peak learning rate; without it the library's recipe");

    public readonly Option<int?> LoraRank = Option<int?>("--lora", "rank", "train LoRA adapters of this rank instead of all weights");

    public readonly Option<int> MaximumSteps = Option("--max-steps", "count", "stop after this many steps; 0 for all epochs", 0);

    public readonly Option<int> NewTokens = Option("--new-tokens", "count", "tokens to write for the prompt", 80);

    public readonly Option<int> Seed = Option("--seed", "number", "makes the run repeatable", 1);

    public readonly Option<string> Output = Option(
        "--output", "folder", "for the model zip, run.html and metrics.jsonl", Path.Combine("output", "text-generation"));

    public TextGenerationCommand()
        : base("Fine-tunes a pretrained model of texts and writes with it, before and after.")
    {
        foreach (var option in (Option[])[
            Task, Model, Text, Prompt, Epochs, BatchSize, LearningRate, LoraRank, MaximumSteps, NewTokens, Seed, Output])
            Add(option);
    }
}
