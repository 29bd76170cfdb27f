using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using TextToImage.Scenes;

namespace TextToImage;

/// <summary>A picture with what is to be seen in it.</summary>
internal sealed class SceneRow
{
    public string Caption { get; set; } = "";

    [ImageType(ScenePicture.Side, ScenePicture.Side)]
    public MLImage? Image { get; set; }
}
