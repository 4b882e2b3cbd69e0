"""The pretrained networks of Keras 3, with their preprocessing module and input size."""

from typing import NamedTuple


class Application(NamedTuple):
    """One network of `keras.applications`.

    Attributes:
        module: of `keras.applications` that has its `preprocess_input`.
        side: height and width of its images, in pixels.
    """

    module: str
    side: int


def _family(module: str, **sides: int) -> dict[str, Application]:
    return {name: Application(module, side) for name, side in sides.items()}


APPLICATIONS: dict[str, Application] = {
    **_family("convnext", ConvNeXtTiny=224, ConvNeXtSmall=224, ConvNeXtBase=224),
    **_family("convnext", ConvNeXtLarge=224, ConvNeXtXLarge=224),
    **_family("densenet", DenseNet121=224, DenseNet169=224, DenseNet201=224),
    **_family("efficientnet", EfficientNetB0=224, EfficientNetB1=240, EfficientNetB2=260),
    **_family("efficientnet", EfficientNetB3=300, EfficientNetB4=380, EfficientNetB5=456),
    **_family("efficientnet", EfficientNetB6=528, EfficientNetB7=600),
    **_family("efficientnet_v2", EfficientNetV2B0=224, EfficientNetV2B1=240, EfficientNetV2B2=260),
    **_family("efficientnet_v2", EfficientNetV2B3=300, EfficientNetV2S=384, EfficientNetV2M=480),
    **_family("efficientnet_v2", EfficientNetV2L=480),
    **_family("inception_resnet_v2", InceptionResNetV2=299),
    **_family("inception_v3", InceptionV3=299),
    **_family("mobilenet", MobileNet=224),
    **_family("mobilenet_v2", MobileNetV2=224),
    **_family("mobilenet_v3", MobileNetV3Large=224, MobileNetV3Small=224),
    **_family("nasnet", NASNetLarge=331, NASNetMobile=224),
    **_family("resnet", ResNet50=224, ResNet101=224, ResNet152=224),
    **_family("resnet_v2", ResNet50V2=224, ResNet101V2=224, ResNet152V2=224),
    **_family("vgg16", VGG16=224),
    **_family("vgg19", VGG19=224),
    **_family("xception", Xception=299),
}
