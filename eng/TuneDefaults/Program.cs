// Searches for the recipe by which the text generator is fine-tuned best, over texts of several lengths, whole and by paragraphs.
//   dotnet run --project eng/TuneDefaults -c Release -- CORPUS FOLDER [TRIALS [KILOBYTES...]]
// Without trials (0) it compares the defaults as they are with the reference's recipe, in FOLDER/comparison.csv; a comparison that was cut
// off goes on. CORPUS has a folder for each book with train.txt, valid.txt and test.txt, such as ../shared/corpus. FOLDER gets the
// journal, the page and the table; a search that was cut off goes on, as one with more TRIALS (40) does. KILOBYTES (10 40 160) are how
// much of a book is trained on. A trial takes about three minutes of one core (AMD Zen 4) for each book; those that are worse than most
// are ended early.
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
var (reference, found) = (new TextRecipe().Training, TextGeneratorOptions.DefaultTraining);
double? dropout = null;
if (trials > 0)
{
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
    var recipe = space.ToOption(best.TrialSettings.Parameter[RecipeRunner.ParameterName]);
    (found, dropout) = (recipe.Training, recipe.Dropout);
    Console.WriteLine($"The recipe of trial {best.TrialSettings.TrialId}:");
}

// What it gains on the parts that nothing was chosen by.
Directory.CreateDirectory(args[1]);
var comparison = new Comparison(Path.Combine(args[1], "comparison.csv"));
foreach (var text in texts)
    comparison.Row(text.Name, recipe => runner.Losses(recipe ? found : reference, recipe ? dropout : null, text, default).Test);
Console.WriteLine(comparison.Summary);
return 0;
