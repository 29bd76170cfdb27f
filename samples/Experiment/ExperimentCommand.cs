using System.CommandLine;
using static Samples.SampleProgram;

namespace Experiment;

/// <summary>The program's command line.</summary>
internal sealed class ExperimentCommand : RootCommand
{
    public readonly Option<FileInfo?> Text = Option<FileInfo?>(
        "--text", "file", "the text to learn from, UTF-8, whose last tenth is held out; without it the sample's stories");

    public readonly Option<int> Trials = Option("--trials", "count", "recipes to try, the known one among them", 16);

    public readonly Option<int> Epochs = Option("--epochs", "count", "times that a whole training goes through the text", 3);

    public readonly Option<int?> Processes = Option<int?>(
        "--processes", "count", "trials at a time in processes of their own; 0 for trials in this process; without it one at a time");

    public readonly Option<int> Seed = Option("--seed", "number", "makes the search repeatable", 1);

    public readonly Option<string> Output = Option(
        "--output", "folder", "for the journal, the page and the best model; a search that was interrupted goes on from there",
        Path.Combine("output", "experiment"));

    public ExperimentCommand()
        : base("Searches for the recipe that fine-tunes a pretrained text generator best.")
    {
        foreach (var option in (Option[])[Text, Trials, Epochs, Processes, Seed, Output])
            Add(option);
    }
}
