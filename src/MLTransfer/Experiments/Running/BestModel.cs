using Microsoft.ML;

namespace MLTransfer.Experiments.Running;

/// <summary>The best model of an experiment as a file, <c>best-N.zip</c> of trial N.</summary>
/// <param name="context">Saves and loads.</param>
/// <param name="folder">Where it is; null for nowhere.</param>
/// <param name="schema">Of the rows that models take.</param>
internal sealed class BestModel(MLContext context, string? folder, Func<DataViewSchema?> schema)
{
    /// <summary>Saves a model, and deletes those that it is better than.</summary>
    public void Keep(TrialResult result)
    {
        if (folder is null || result.Model is not { } model)
            return;
        var path = PathOf(result);
        context.Generation.Save(model, schema(), path);
        foreach (var earlier in Directory.EnumerateFiles(folder, "best-*.zip").Where(file => file != path).ToList())
            File.Delete(earlier);
    }

    /// <summary>Loads a trial's model; null where there is none.</summary>
    public ITransformer? Load(TrialResult result) =>
        folder is not null && File.Exists(PathOf(result)) ? context.Model.Load(PathOf(result), out _) : null;

    private string PathOf(TrialResult result) => Path.Combine(folder!, $"best-{result.TrialSettings.TrialId}.zip");
}
