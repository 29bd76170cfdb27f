namespace TextToImage.Scenes;

/// <summary>How pictures are as they were asked for, in shares.</summary>
/// <param name="Colours">Pictures with the wanted colours.</param>
/// <param name="Shapes">Pictures with the wanted kinds of shapes.</param>
/// <param name="Counts">Pictures with as many shapes as wanted.</param>
/// <param name="Relation">Pictures whose groups lie as wanted.</param>
/// <param name="All">Pictures that obey their caption in all.</param>
internal sealed record SceneScore(double Colours, double Shapes, double Counts, double Relation, double All)
{
    /// <summary>Compares what was asked for with what is seen.</summary>
    public static SceneScore Of(IReadOnlyList<Scene> asked, IReadOnlyList<SceneReport> seen)
    {
        var pairs = asked.Zip(seen).ToList();
        return new SceneScore(
            Share(static (scene, report) => scene.Groups.Select(group => group.Colour).ToHashSet()
                .SetEquals(report.Shapes.Select(shape => shape.Colour))),
            Share(static (scene, report) => scene.Groups.Select(group => group.Shape).ToHashSet()
                .SetEquals(report.Shapes.Select(shape => shape.Shape))),
            Share(static (scene, report) => scene.Groups.Sum(group => group.Count) == report.Shapes.Count),
            Share(static (scene, report) => report.Scene is { } found && found.Relation == scene.Relation),
            Share(static (scene, report) => scene == report.Scene));

        double Share(Func<Scene, SceneReport, bool> isSo) => pairs.Count(pair => isSo(pair.First, pair.Second)) / (double)pairs.Count;
    }

    public override string ToString() =>
        $"colours {Colours:P0}, shapes {Shapes:P0}, counts {Counts:P0}, relation {Relation:P0}, all {All:P0}";
}
