// Searches for the recipe by which the text generator is fine-tuned best, over texts of several lengths, whole and by paragraphs.
//   dotnet run --project eng/TuneDefaults -c Release -- CORPUS FOLDER [TRIALS [KILOBYTES...]]
// CORPUS has a folder for each book with train.txt, valid.txt and test.txt, such as ../shared/corpus. FOLDER gets the journal, the page and
// the table; a search that was cut off goes on, as one with more TRIALS (40) does. KILOBYTES (10 40 160) are how much of a book is trained
// on. A trial takes about three minutes of one core (AMD Zen 4) for each book; those that are worse than most are ended early.
using System.Globalization;
using MLTransfer;
using MLTransfer.Experiments;
using Microsoft.ML;
using TuneDefaults;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: TuneDefaults CORPUS FOLDER [TRIALS [KILOBYTES...]]");
    return 1;
}

var trials = args.Length > 2 ? int.Parse(args[2]) : 40;
var texts = CorpusText.Read(args[0], args.Length > 3 ? args[3..].Select(int.Parse) : [10, 40, 160]);
if (texts.Count == 0)
{
    Console.Error.WriteLine($"'{args[0]}' has no folder with train.txt, valid.txt and test.txt.");
    return 1;
}

var ml = new MLContext(seed: 1) { GpuDeviceId = 0, FallbackToCpu = true };
ml.Log += (_, message) =>
{
    if (message.Source.Contains(nameof(AutoMLExperiment), StringComparison.Ordinal))
        Console.WriteLine(message.Message);
};
var space = new SearchSpace<TextRecipe>(new TextRecipe());
using var runner = new RecipeRunner(ml, texts, space);
var experiment = ml.Generation.CreateExperiment()
    .AddSearchSpace(RecipeRunner.ParameterName, space)
    .SetTrialRunner(runner)
    .SetPruner(new MedianPruner(startupTrials: 5))
    .SetMaxModelToExplore(trials)
    .SetTrialProcesses(Environment.ProcessorCount) // each on a core: these models are too small to gain from more
    .SetCheckpoint(args[1], checkpointSteps: 50)
    .EnqueueTrial(); // the reference's recipe comes first
var best = await experiment.RunAsync();
Console.Write(experiment.Report.ToTable());
foreach (var (name, share) in experiment.Report.Importances)
    Console.WriteLine($"{share,6:P1} {name}");

// What it gains on the parts that nothing was chosen by.
Console.WriteLine($"Test parts, nats a token: the reference's recipe, and trial {best.TrialSettings.TrialId}");
var (reference, found) = (new TextRecipe(), space.ToOption(best.TrialSettings.Parameter[RecipeRunner.ParameterName]));
var gains = new List<double>();
foreach (var text in texts)
{
    var (before, after) = (runner.Losses(reference, text, default).Test, runner.Losses(found, text, default).Test);
    gains.Add(before - after);
    Console.WriteLine($"{text.Name,-40} {before:F4} {after:F4} {before - after,8:F4}");
}

Console.WriteLine($"{"mean gain",-40} {gains.Average(),22:F4}");
return 0;
