namespace TextToImage.Scenes;

/// <summary>Says in words what is in a scene.</summary>
internal static class SceneCaptions
{
    private static readonly string[] s_numbers = ["one", "two", "three"];

    /// <summary>In the same way for every scene: <c>two red circles left of a blue square</c>.</summary>
    public static string Full(Scene scene) => scene.Relation switch
    {
        null => Words(scene.First),
        Relation.LeftOf => $"{Words(scene.First)} left of {Words(scene.Second!)}",
        _ => $"{Words(scene.First)} above {Words(scene.Second!)}",
    };

    /// <summary>One of several ways to say it.</summary>
    public static string Draw(Scene scene, Random random)
    {
        var (first, second) = (Words(scene.First), scene.Second is null ? "" : Words(scene.Second));
        return (scene.Relation, random.Next(6)) switch
        {
            (null, 0) => $"a picture of {first}",
            (null, 1) => $"there {(scene.First.Count == 1 ? "is" : "are")} {first}",
            (null, 2) => $"{first} alone",
            (Relation.LeftOf, 0) => $"{first} to the left of {second}",
            (Relation.LeftOf, 1) => $"{second} right of {first}",
            (Relation.LeftOf, 2) => $"on the left {first}, on the right {second}",
            (Relation.LeftOf, 3) => $"{second} to the right of {first}",
            (Relation.Above, 0) => $"{first} over {second}",
            (Relation.Above, 1) => $"{second} below {first}",
            (Relation.Above, 2) => $"{first} at the top, {second} at the bottom",
            (Relation.Above, 3) => $"{second} under {first}",
            _ => Full(scene),
        };
    }

    private static string Words(SceneGroup group)
    {
        var article = "aeiou".Contains(group.Colour.Name[0]) ? "an" : "a";
        return group.Count == 1
            ? $"{article} {group.Colour} {group.Shape}" : $"{s_numbers[group.Count - 1]} {group.Colour} {group.Shape.Plural}";
    }
}
