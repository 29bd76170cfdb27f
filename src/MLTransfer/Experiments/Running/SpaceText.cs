using System.Text.Json.Nodes;
using MLTransfer.Experiments.Spaces;

namespace MLTransfer.Experiments.Running;

/// <summary>A search space as JSON, which tells whether a journal belongs to it.</summary>
internal static class SpaceText
{
    public static JsonObject Of(SearchSpace searchSpace)
    {
        var space = new FlatSpace(searchSpace);
        return new JsonObject(Enumerable.Range(0, space.Count).Select(i => KeyValuePair.Create(space[i].Name, (JsonNode?)Of(space, i))));
    }

    private static JsonObject Of(FlatSpace space, int index)
    {
        var (dimension, domain) = (space[index], space[index].Domain);
        var json = dimension.Option is ChoiceOption choice
            ? new JsonObject { ["choices"] = new JsonArray([.. choice.Choices.Cast<Parameter>().Select(value => value.ToJson())]) }
            : new JsonObject { ["min"] = domain.Low, ["max"] = domain.High, ["log"] = domain.IsLogarithmic, ["step"] = domain.Step };
        foreach (var (parent, isAllowed) in dimension.Conditions)
            json[$"when {space[parent].Name}"] =
                new JsonArray([.. isAllowed.Index().Where(a => a.Item).Select(a => JsonValue.Create(a.Index))]);
        return json;
    }
}
