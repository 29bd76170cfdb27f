using Microsoft.ML;

namespace MLTransfer.Experiments.Running;

/// <summary>The best model of an experiment as a file, <c>best-N.zip</c> of trial N.</summary>
/// <param name="context">Saves and loads.</param>
/// <param name="folder">Where it is; null for nowhere.</param>
/// <param name="schema">Of the rows that models take.</param>
internal sealed class BestModel(MLContext context, string? folder, DataViewSchema? schema)
{
    /// <summary>Where the process of a trial leaves its model, in the trial's folder.</summary>
    public const string TrialFile = "model.zip";

    /// <summary>Saves a model, and deletes those that it is better than.</summary>
    public void Keep(TrialResult result)
    {
        if (folder is null)
            return;
        var path = PathOf(result);
        if (result.Model is { } model)
            context.Generation.Save(model, schema, path);
        else if (result.TrialSettings.Folder is { } trial && File.Exists(Path.Combine(trial, TrialFile)))
            File.Move(Path.Combine(trial, TrialFile), path, overwrite: true);
        foreach (var earlier in Directory.EnumerateFiles(folder, "best-*.zip").Where(file => file != path).ToList())
            File.Delete(earlier);
    }

    /// <summary>Loads a trial's model; null where there is none.</summary>
    public ITransformer? Load(TrialResult result) =>
        folder is not null && File.Exists(PathOf(result)) ? context.Model.Load(PathOf(result), out _) : null;

    private string PathOf(TrialResult result) => Path.Combine(folder!, $"best-{result.TrialSettings.TrialId}.zip");
}
